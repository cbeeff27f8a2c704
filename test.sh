#!/usr/bin/env bash
# Everything the project holds itself to: ./test.sh, or a part of it:
#   ./test.sh lint                    style, types, shell scripts, Dockerfile, compose and Kubernetes files
#   ./test.sh audit                   whether anything is known to be wrong with packages and jars, where the databases can be reached
#   ./test.sh tests [PYTEST-ARG ...]  the tests, or those that pytest is told to run
#   ./test.sh bench [--write] [NAME ...]
#                                     figures (--help names them), --write: into docs/performance.md; not part of ./test.sh, for they judge nothing
#   ./test.sh chaos [--minutes N] [--seed S] [--view] [--self] [--tasks N --streams N] [--plant BUG]
#                                     faults at random on real daemons, with a checker; --tasks: daemons of many tasks; --self: each makes
#                                     its own replica; ./test.sh has a short run of it
#   ./test.sh chaos --two-way [--conflicts hubWins|lastArrival] [--minutes N] [--seed S] [--plant BUG]
#                                     the same with applications on both sides; ./test.sh has a short run of it
#   ./test.sh many [--seed S]         three daemons of twenty tasks: files come and go, a daemon dies, a destination is away; two minutes, of
#                                     which ./test.sh has the least
#   ./test.sh fuzz [--minutes N] [--seed S] [TARGET ...]
#                                     inputs that follow the code's branches, by atheris and Jazzer; ./test.sh has a short run of other ones
#   ./test.sh oracle [--cases N] [--seed S]
#                                     condition expressions drawn at random, by DynamoDB Local and by ours; ./test.sh has a short run of it
#   ./test.sh model [--states N] [PLAY ...]
#                                     the two-way protocol in every order of events, up to N states a play; ./test.sh has a smaller bound
#   ./test.sh aws --source-region A --destination-region B [--profile P] [--plan | --clean] [--yes]
#                                     the program's commands on a real account, on tables of its own that it removes, for less than a
#                                     dollar, with a report (docs/aws-proof.md); --local: on servers of this machine, as ./test.sh does it
#   ./test.sh drill [--patience SECONDS] [--go-on]
#                                     docs/drill.md, typed from top to bottom on two servers of this machine, with the AWS command line (in
#                                     .aws-cli/); each step must show what the page says. Five minutes, so not part of ./test.sh
#   ./test.sh prometheus              gets Prometheus (Debian's package) into .prometheus/: the alarms are tested with its promtool; ./test.sh does so, too
#   ./test.sh checkers                builds actionlint and kubeconform into .checkers/, which look at .github/ and deploy/; needs Go, 1.24 or later;
#                                     ./test.sh does so, too
#   ./test.sh faults [--seed S] [--only CALL[:FAULT[:MOMENT]]] [--resume REPORT]
#                                     each call, each single fault, each moment, on real daemons; all of it takes an hour and writes
#                                     docs/faults.md; ./test.sh has a sample of it
#   ./test.sh faults --commands [--seed S] [--only ERRAND[:CALL[:FAULT[:MOMENT]]]] [--sample COUNT]
#                                     the same for the commands: copy, verify, redrive, unmark, check; an hour or more, and it writes
#                                     docs/faults-of-commands.md
#   ./test.sh chromium                gets Chromium (Debian's package) into .chromium/, where none is installed: the console's page is tested in
#                                     it; ./test.sh does so, too
#   ./test.sh pictures                draws docs/images/console-*.png anew: the console's page of real tasks, in that Chromium
#   ./test.sh dashboard               draws docs/metrics/dashboard.png anew, of a real run that a real Prometheus scrapes
#   ./test.sh docs                    build docs/ as a site, into site/; a broken link fails it
#   ./test.sh image                   the Dockerfile's steps without an engine, and a replication by what they make
#   ./test.sh charts                  renders deploy/helm/ anew, into tests/deploy/helm/, which tests hold to deploy/; needs helm
#   ./test.sh versions                unit tests and a replication on every Python and Java found; minutes, so not part of ./test.sh
#   ./test.sh newest [PYTEST-ARG ...] the unit and protocol tests, or those that pytest is told to run, with the newest release of each package of
#                                     requirements.in, past its bounds too, in an environment that is thrown away (amazon-kclpy's jars stay those that
#                                     are pinned); minutes, so not part of ./test.sh
#   ./test.sh lock [--upgrade]        write the lock files from requirements*.in: what they pin stays, or is the newest; and daemon/classes.lst
set -euo pipefail

usage() {
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$root/test.sh"
}

root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
cd "$root"
if [[ "${1:-}" == --help ]]; then
    usage
    exit 0
fi
./setup.sh python jars archive tests
# DynamoDB Local is Amazon's own, and 51 MB: TEST_SERVER=moto does without, and so does a machine where it can't be had, unless
# TEST_SERVER=dynamodb-local insists on it.
if [[ "${TEST_SERVER:-}" != moto* ]] && ! ./setup.sh dynamodb-local; then
    [[ "${TEST_SERVER:-}" != dynamodb-local ]] || exit 22
    echo "test: no DynamoDB Local, see above: the tests run on moto's server, without those that need the former." >&2
    export TEST_SERVER=moto
fi
if [[ "${TEST_SERVER:-}" = moto* ]]; then
    ./setup.sh moto || exit 22
fi
bin="$root/.venv/bin"

lint() {
    "$bin/ruff" check .
    "$bin/ruff" format --check .
    "$bin/mypy"
    "$bin/shellcheck" ./*.sh .ci/run
    "$bin/hadolint" deploy/Dockerfile
    "$bin/check-jsonschema" --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
    "$bin/kubernetes-validate" --strict --quiet deploy/kubernetes*.yaml
}

audit() {
    "$bin/python" -m tests.audit
}

tests() {
    "$bin/python" -m pytest "$@"
}

docs() {
    NO_MKDOCS_2_WARNING=1 "$bin/mkdocs" build --strict
    printf 'The site begins at %s\n' "$root/site/index.html"
}

lock() {
    local compile=("$bin/uv" pip compile --quiet "$@" --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header --no-annotate)
    "${compile[@]}" requirements.in -o requirements.lock
    "${compile[@]}" requirements-dev.in -o requirements-dev.lock
    "${compile[@]}" requirements-moto.in -o requirements-moto.lock
    "${compile[@]}" requirements-aws-cli.in -o requirements-aws-cli.lock
    "${compile[@]}" requirements-build.in -o requirements-build.lock
    "${compile[@]}" requirements-setup.in -o requirements-setup.lock
    ./setup.sh --relock python jars tests
    "$bin/python" -c 'from tests.audit import inventory; inventory.write()'
    ./setup.sh python jars tests dynamodb-local # anew, with what is locked now
    "$bin/python" -m tests.class_list
}

prometheus() {
    local made apt=(apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)
    [[ ! -x "$root/.prometheus/usr/bin/promtool" ]] || return 0
    command -v apt-get dpkg-deb >/dev/null || { echo "test: Prometheus comes from Debian's packages, and apt-get is not here. Or put promtool on the PATH." >&2; return 22; }
    made="$(mktemp -d)"
    (cd "$made" && { "${apt[@]}" download prometheus || { "${apt[@]}" update && "${apt[@]}" download prometheus; }; } && dpkg-deb -x prometheus_*.deb x) &&
        rm -rf "$root/.prometheus" && mv "$made/x" "$root/.prometheus"
    rm -rf "$made"
    [[ -x "$root/.prometheus/usr/bin/promtool" ]]
}

# Chromium and what it needs that is not installed, unpacked: no root's rights are needed, and the machine stays as it is.
chromium() {
    local made name names apt=(apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o APT::Sandbox::User=root)
    [[ ! -x "$root/.chromium/usr/lib/chromium/chromium" ]] || return 0
    for name in chromium chromium-browser google-chrome; do
        ! type -P "$name" >/dev/null || return 0
    done
    command -v apt-get dpkg-deb >/dev/null || { echo "test: Chromium comes from Debian's packages, and apt-get is not here. Or put chromium on the PATH." >&2; return 22; }
    missing() { mapfile -t names < <("${apt[@]}" install --simulate --no-install-recommends chromium fonts-dejavu-core 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p'); }
    get() { missing && ((${#names[@]})) && "${apt[@]}" -qq download "${names[@]}"; }
    made="$(mktemp -d)"
    (cd "$made" && { get || { "${apt[@]}" -qq update && get; }; } && for name in *.deb; do dpkg-deb -x "$name" x || exit; done) &&
        rm -rf "$root/.chromium" && mv "$made/x" "$root/.chromium"
    rm -rf "$made"
    [[ -x "$root/.chromium/usr/lib/chromium/chromium" ]]
}

# Where no browser can be had, its tests are skipped, and that is said.
browser() {
    chromium || echo "test: no Chromium: the console's page is not looked at, only what is sent to it." >&2
}

# The alarms are tested with Prometheus's own tool. Where it can't be had, its two tests are skipped, and that is said.
promtool() {
    type -P promtool >/dev/null || prometheus || echo "test: no promtool: the alarms are parsed, not tested." >&2
}

# Linters that are written in Go, of the versions and sums in go.mod and go.sum; a Go that is older than these ask for fetches a newer one.
checkers() {
    command -v go >/dev/null || { echo "test: actionlint and kubeconform are built by Go, and go is not here. Or put both on the PATH." >&2; return 22; }
    (cd tests/deploy/checkers && GOFLAGS=-mod=readonly GOBIN="$root/.checkers" go install tool)
}

# What draws is not needed for anything else, so it is in no lock file.
picture() {
    VIRTUAL_ENV="$root/.venv" "$bin/uv" run --no-project --with matplotlib==3.10.7 python -m "$@"
}

pictures() {
    chromium
    "$bin/python" -m tests.console
}

dashboard() {
    prometheus
    picture tests.metrics.picture "$@"
}

drill() {
    ./setup.sh aws-cli
    PATH="$root/.aws-cli/bin:$PATH" "$bin/python" -m tests.drill "$@"
}

# docs/trial.md's table is made by it. Where it can't be had, the test makes the same table, and that is said.
aws_cli() {
    ./setup.sh aws-cli || echo "test: no AWS command line: the trial's table is made without it." >&2
}

bench() {
    "$bin/python" -m tests.bench "$@"
    [[ " $* " != *" --write "* ]] || picture tests.bench.picture
}

faults() {
    if [[ "${1:-}" == --commands ]]; then
        "$bin/python" -m tests.faults.commands "${@:2}"
    else
        "$bin/python" -m tests.faults "$@"
    fi
}

# Atheris has wheels for few Pythons, so it is in no lock file.
fuzz() {
    ./setup.sh jazzer
    VIRTUAL_ENV="$root/.venv" "$bin/uv" run --no-project --with atheris==3.0.0 python -m tests.fuzz "$@"
}

# What requirements.in names is the newest there is, all else .venv's. amazon-kclpy, whose jars the daemon is compiled against, is
# as published, without building it.
newest() {
    local made names python
    made="$(mktemp -d)"
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf '$made'" EXIT
    names="$(sed -n 's/^\([a-z0-9-]*\)[<>=].*/\1/p' requirements.in | grep -vx amazon-kclpy)"
    "$bin/uv" venv --quiet --python "$bin/python" "$made/venv"
    python="$made/venv/bin/python"
    # shellcheck disable=SC2086  # names without spaces, one argument each
    "$bin/uv" pip install --quiet --refresh --python "$python" $names
    "$bin/python" -m pip download --quiet --no-deps --no-build-isolation --no-binary :all: --dest "$made" amazon-kclpy
    tar -xzf "$made"/amazon_kclpy-*.tar.gz -C "$made" --wildcards '*/amazon_kclpy/*' --strip-components=1
    rm -rf "$made/amazon_kclpy/jars"
    ln -s "$("$bin/python" -c 'import amazon_kclpy; print(amazon_kclpy.__path__[0])')/jars" "$made/amazon_kclpy/jars"
    printf '%s\nimport site; site.addsitedir("%s")\n' "$made" "$("$bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
        >"$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/others.pth"
    chmod -R go-w "$made" # uv's lock; check refuses what every user can write
    echo "The newest releases:" "$made"/amazon_kclpy-*.tar.gz
    "$bin/uv" pip list --quiet --python "$python"
    (($#)) || set -- tests/unit tests/protocol
    "$python" -m pytest --numprocesses 2 --dist loadfile "$@"
}

case "${1:-all}" in
    all)
        # One after the other, not joined by &&: within such a list bash passes over a function's failing commands.
        lint
        audit
        promtool
        browser
        aws_cli
        checkers || echo "test: no actionlint and kubeconform: workflows and manifests are held to their schemas by others alone." >&2
        tests --numprocesses 4 --dist loadfile --no-loadscope-reorder # most of a test is waiting; tests/longest_first.py has their order
        ;;
    lint) lint ;;
    audit) audit ;;
    tests) tests "${@:2}" ;;
    drill) drill "${@:2}" ;;
    bench) bench "${@:2}" ;;
    prometheus) prometheus ;;
    chromium) chromium ;;
    checkers) checkers ;;
    pictures) pictures ;;
    dashboard) dashboard "${@:2}" ;;
    chaos) "$bin/python" -m tests.chaos "${@:2}" ;;
    many) "$bin/python" -m tests.many "${@:2}" ;;
    aws) "$bin/python" -m tests.aws "${@:2}" ;;
    oracle) "$bin/python" -m tests.oracle "${@:2}" ;;
    model) "$bin/python" -m tests.model "${@:2}" ;;
    fuzz) fuzz "${@:2}" ;;
    faults) faults "${@:2}" ;;
    docs) docs ;;
    charts | image | versions) "$bin/python" -m tests.deploy "$1" ;;
    newest) newest "${@:2}" ;;
    lock) lock "${@:2}" ;;
    *)
        usage >&2
        exit 22
        ;;
esac
