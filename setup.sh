#!/usr/bin/env bash
# Sets up parts of this checkout, each only when what it is made from has changed: setup.sh PART...
#   python          .venv with the packages of requirements.lock
#   jars            jars/: the DynamoDB Streams adapter and the daemon class, by Maven (after python)
#   archive         the daemon's classes as this Java maps them at a start (after jars); without it, a start takes longer
#   dynamodb-local  jars/dynamodb-local/, for the demo and the tests: Amazon's own, under Amazon's licence, for development and tests
#   moto            .moto with the packages of requirements-moto.lock, for the demo with demoServer=moto (after python)
#   aws-cli         .aws-cli with the packages of requirements-aws-cli.lock: the AWS command line, which ./test.sh drill types with (after python)
#   tests           .venv with the packages of requirements-dev.lock too, and jars/junit/, for the tests of the daemon's classes
#   jazzer          jars/jazzer/, for ./test.sh fuzz
#   wheel           dist/: the program as a wheel, with the jars inside (python and jars are made first), and the list of its parts
# A part's stamp is written last, so an interrupted set-up starts that part again. Exit status 22: something is missing.
# With --beside before the parts, nothing is made anew while a daemon of this checkout runs: what is there is used.
# Every jar must be the one of daemon/jars.lock, byte for byte. --relock takes others: `./test.sh lock` writes that file anew then.
set -euo pipefail

# Whatever a shell has set: what is made here is run, and a start refuses what every user can write.
umask o-w

root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
python="${PYTHON:-python3}"

# In the locale of C neither Java nor Python takes a path with other letters than ASCII's, such as that of a home may have.
case "${LC_ALL:-${LC_CTYPE:-${LANG:-C}}}" in C | POSIX) [[ "$root" != *[!\ -~]* ]] || export LC_ALL=C.UTF-8 ;; esac

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 22
}

need() {
    command -v "$1" >/dev/null || fail "$1 is not on the PATH, so nothing can be set up. $2"
}

# The stamp is the checksum of all that the part is made from; the checkout's own path is in .venv, so it counts too.
# Sources are patterns below the checkout. A locale has an order of its own for the names that match; this is C's.
sum() (
    LC_ALL=C
    IFS=
    cd "$root"
    # shellcheck disable=SC2068 # they are patterns
    { printf '%s\n' "$root"; cat $@; } | cksum
)

run() {
    local log="$root/logs/setup.log"
    mkdir -p "$root/logs"
    printf 'setup: %s ...\n' "$1" >&2
    "${@:2}" >"$log" 2>&1 || { tail -n 25 "$log" >&2; fail "$1 failed; all of its output is in $log. The next run tries again."; }
}

# running_daemon: says where a daemon of this checkout runs, and which process that is, or fails where none does. Each holds
# jars/.in-use for as long as it lives, wherever its logs are; those of earlier versions only hold the lock beside their logs.
running_daemon() {
    local lock
    command -v flock >/dev/null || return 1
    for lock in "$root"/logs/*/daemon.lock "$root"/logs/*/*/daemon.lock "$root/jars/.in-use"; do
        if [[ -f "$lock" ]] && ! flock -n "$lock" true; then
            printf '%s%s' "$lock is locked" "$(holders "$lock")"
            return 0
        fi
    done
    return 1
}

# holders FILE: the processes that have it open, as far as /proc shows them to us: its id, and how its command begins.
holders() {
    local process
    [[ -d /proc/self/fd ]] || return 0
    { find -L /proc/[0-9]*/fd -maxdepth 1 -samefile "$1" 2>/dev/null || true; } | cut -d/ -f3 | sort -nu | while read -r process; do
        printf ', by process %s: %s' "$process" "$(tr '\0' ' ' <"/proc/$process/cmdline" | tr -c '[:print:]' '?' | cut -c 1-120)"
    done
}

# A running daemon starts a Python child for each new shard, and opens jars as it needs them. So nothing is touched beside it.
refuse_under_daemons() {
    local where
    ! where="$(running_daemon)" || fail "$1 must be made anew, but a daemon of this checkout runs ($where). Nothing was changed. Stop it first, or use a checkout of its own for the new version."
}

# verify_jars [--whole] FOLDER...: each jar is the one of daemon/jars.lock, byte for byte; nothing is compiled against others, or run.
verify_jars() {
    [[ -z "$relock" ]] || return 0
    "$root/.venv/bin/python3" -I "$root/processor/startup/jar_lock.py" "$@" || fail "these jars are not as daemon/jars.lock has them, so nothing was set up."
}

make_python() {
    need "$python" "Install Python 3.10 or later with venv (Debian: python3-venv), or name one in PYTHON."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$python is older than 3.10: name a newer one in PYTHON."
    run "Python environment" "$python" -m venv --clear "$root/.venv"
    # Published as source alone is amazon-kclpy; what builds it is pinned, too, and nothing else is built.
    run "what builds amazon-kclpy" "$root/.venv/bin/python" -m pip install --require-hashes -r "$root/requirements-setup.lock"
    run "Python packages and KCL's jars (about 15 s)" "$root/.venv/bin/python" -m pip install --require-hashes --no-build-isolation -r "$root/requirements.lock"
    verify_jars "$root"/.venv/lib/python3*/site-packages/amazon_kclpy/jars
    # The checkout itself is importable from anywhere, without the current directory or PYTHONPATH having a say.
    printf '%s\n' "$root" >"$("$root/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/replicator.pth"
}

# brought PROPERTY ARTIFACT: the version of a jar that amazon-kclpy brought, for Maven. What the daemon is compiled against is
# so what it will run on.
brought() {
    local jar
    jar="$(find "$root"/.venv/lib/python3*/site-packages/amazon_kclpy/jars -name "$2-[0-9]*.jar" -print -quit)"
    [[ -n "$jar" ]] || fail "amazon-kclpy brought no $2, so the daemon can't be built. Remove .venv and try again."
    jar="${jar##*/"$2"-}"
    printf -- '-D%s.version=%s' "$1" "${jar%.jar}"
}

make_jars() {
    need java "Install a JDK, 11 or later (Debian: openjdk-17-jdk-headless)."
    need mvn "Install Maven (Debian: maven)."
    local artifact versions=()
    for artifact in kcl:amazon-kinesis-client sdk:dynamodb beanutils:commons-beanutils slf4j:slf4j-api logback:logback-core jackson:jackson-core; do
        versions+=("$(brought "${artifact%%:*}" "${artifact#*:}")") || exit
    done
    rm -f "$root"/jars/*.jar "$root"/jars/*.jsa
    run "daemon class and streams adapter (about 10 s)" mvn -B --strict-checksums -f "$root/daemon/pom.xml" "${versions[@]}" clean package
    verify_jars --whole "$root"/.venv/lib/python3*/site-packages/amazon_kclpy/jars "$root/jars"
    cp "$root/daemon/classes.lst" "$root/daemon/jars.lock" "$root/jars/"
}

# It is of one build of Java, and is made anew for another. Nobody needs it: where it can't be made, that is said once.
make_archive() {
    local log="$root/logs/setup.log"
    mkdir -p "$root/logs"
    printf 'setup: class archive, for a faster start (about 10 s) ...\n' >&2
    "$root/.venv/bin/python3" -I -m processor.startup.class_archive >"$log" 2>&1 || tail -n 1 "$log" >&2
}

archive() {
    local java release
    java="$(command -v "${JAVA_HOME:+$JAVA_HOME/bin/}java")" && java="$(readlink -f "$java")" || return 0
    release="${java%/bin/java}/release"
    [[ -f "$release" ]] || release=/dev/null
    # A checkout may be read-only, or somebody else's.
    [[ ! -w "$root/jars" ]] || part "$root/jars/.stamp-archive-$(cksum <<<"$java" | tr -d ' ')" make_archive jars/.stamp "$release"
}

make_dynamodb_local() {
    need mvn "Install Maven (Debian: maven)."
    rm -rf "$root/jars/dynamodb-local"
    run "DynamoDB Local (51 MB; Amazon's own, under its own licence, for development and tests)" mvn -B --strict-checksums -f "$root/daemon/dynamodb-local/pom.xml" package
}

make_moto() {
    run "moto's environment" "$root/.venv/bin/python" -m venv --clear "$root/.moto"
    run "moto's server (about 10 s)" "$root/.moto/bin/python" -m pip install --require-hashes -r "$root/requirements-moto.lock"
}

make_aws_cli() {
    run "the AWS command line's environment" "$root/.venv/bin/python" -m venv --clear "$root/.aws-cli"
    run "the AWS command line (about 10 s)" "$root/.aws-cli/bin/python" -m pip install --require-hashes -r "$root/requirements-aws-cli.lock"
}

make_tests() {
    run "test packages (about 30 s)" "$root/.venv/bin/python" -m pip install --require-hashes -r "$root/requirements-dev.lock"
}

make_junit() {
    need mvn "Install Maven (Debian: maven)."
    rm -rf "$root/jars/junit"
    run "JUnit (3 MB)" mvn -B --strict-checksums -f "$root/daemon/junit/pom.xml" package
}

make_jazzer() {
    need mvn "Install Maven (Debian: maven)."
    rm -rf "$root/jars/jazzer"
    run "Jazzer (9 MB)" mvn -B --strict-checksums -f "$root/daemon/jazzer/pom.xml" package
}

make_wheel() {
    run "build packages" "$root/.venv/bin/python" -m pip install --require-hashes -r "$root/requirements-build.lock"
    rm -rf "$root/dist"
    mkdir "$root/dist"
    run "list of what the wheel brings and runs on (CycloneDX)" "$root/.venv/bin/python3" -I "$root/deploy/sbom.py" "$root/dist/dynamodb-replicator.cdx.json"
    run "wheel" "$root/.venv/bin/python" -m pip wheel --no-deps --no-build-isolation --wheel-dir "$root/dist" "$root"
}

# part STAMP MAKER SOURCE...
part() {
    local stamp="$1" now where
    now="$(sum "${@:3}")"
    [[ -f "$stamp" && "$(<"$stamp")" == "$now" ]] && return
    if [[ -n "$beside" ]] && where="$(running_daemon)"; then
        printf 'setup: %s was made from other sources than are here, and is used as it is: a daemon of this checkout runs (%s).\n' "${stamp%/.stamp*}" "$where" >&2
        return
    fi
    mkdir -p "$root/jars"
    [[ -e "$root/jars/.in-use" ]] || : >"$root/jars/.in-use"
    exec 9>"$root/jars/.setup-lock"
    ! command -v flock >/dev/null || flock 9   # two first runs at once; macOS has none
    if [[ ! -f "$stamp" || "$(<"$stamp")" != "$now" ]]; then
        case "$2" in # before anything is touched
            make_python) refuse_under_daemons "the Python environment" ;;
            make_jars) refuse_under_daemons "jars/" ;;
        esac
        rm -f "$stamp"
        "$2"
        mkdir -p "$(dirname "$stamp")"
        printf '%s\n' "$now" >"$stamp"
    fi
    exec 9>&-
}

usage() {
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$root/setup.sh"
}

if (($# == 0)); then
    usage >&2
    fail 'no part is named, so nothing was set up'
fi
beside='' relock=''
while [[ "${1:-}" == --* ]]; do
    case "$1" in
        --beside) beside=yes ;;
        --relock) relock=yes ;;
        --help)
            usage
            exit 0
            ;;
        *) fail "unknown option $1" ;;
    esac
    shift
done
for name in "$@"; do
    case "$name" in
        python) part "$root/.venv/.stamp" make_python setup.sh requirements.lock requirements-setup.lock daemon/jars.lock processor/startup/jar_lock.py ;;
        jars) part "$root/jars/.stamp" make_jars requirements.lock processor/startup/jar_lock.py daemon/{pom.xml,classes.lst,jars.lock} 'daemon/src/main/java/replicator/*.java' 'daemon/src/main/java/replicator/*/*.java' 'daemon/src/main/java/software/amazon/kinesis/multilang/config/*.java' ;;
        archive) archive ;;
        dynamodb-local) part "$root/jars/dynamodb-local/.stamp" make_dynamodb_local daemon/dynamodb-local/pom.xml 'daemon/dynamodb-local/src/main/java/replicator/*.java' ;;
        moto) part "$root/.moto/.stamp" make_moto requirements-moto.lock ;;
        aws-cli) part "$root/.aws-cli/.stamp" make_aws_cli requirements-aws-cli.lock ;;
        tests)
            part "$root/.venv/.stamp-tests" make_tests setup.sh requirements.lock requirements-dev.lock
            part "$root/jars/junit/.stamp" make_junit daemon/junit/pom.xml
            ;;
        jazzer) part "$root/jars/jazzer/.stamp" make_jazzer daemon/jazzer/pom.xml ;;
        wheel)
            "$root/setup.sh" python jars
            part "$root/dist/.stamp" make_wheel jars/.stamp {setup.sh,pyproject.toml,README.md,LICENSE,requirements.in,requirements.lock,requirements-build.lock,hatch_build.py,deploy/sbom.py} 'properties/*' 'processor/*.*' 'processor/*/*.*' 'processor/*/*/*.*' 'processor/*/*/*/*.*'
            ;;
        *) fail "unknown part $name" ;;
    esac
done
