"""``./test.sh aws``: a proof on a real account, with tables of its own that it removes; or on servers of this machine.

0: every step passed or could not be done here, and all is removed. 22: nothing was made, for a person must do something
first. 5: a step failed, or something is left. Interrupted: 130 or 143, with all removed. The report says each.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import errno
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from tests.aws import identities, leftovers, plan, report, servers
from tests.aws.mask import masked
from tests.aws.outcome import FAILED, PASSED, SKIPPED, Outcome, SkippedError
from tests.aws.scene import Scene
from tests.aws.servers import Place, Side
from tests.aws.steps import STEPS

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedRunError(BaseException):
    """A signal; past every ``except Exception`` to the removal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_status = 128 + number


class _Parser(argparse.ArgumentParser):
    """Wrong arguments end with 22, as those of the program's commands do."""

    def error(self, message: str) -> NoReturn:
        """Say it, below the usage."""
        self.print_usage(sys.stderr)
        self.exit(errno.EINVAL, f"{self.prog}: {message}.\n")


def main() -> int:
    """Run it, or clean."""
    given = _arguments()
    if given.profile:
        os.environ["AWS_PROFILE"] = given.profile
    for name in [name for name in os.environ if name.startswith("REPLICATION_")]:
        del os.environ[name]  # settings of somebody's own task
    folder = Path(tempfile.mkdtemp(prefix="replicator-proof-"))
    try:
        with _place(given, folder) as place:
            return _clean(place, given) if given.clean else _prove(place, given, folder)
    except InterruptedRunError as exc:
        return exc.exit_status
    except KeyboardInterrupt:  # before anything was made
        return 128 + signal.SIGINT


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="./test.sh aws", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source-region", metavar="A", help="required on AWS; elsewhere us-east-1")
    parser.add_argument("--destination-region", metavar="B", help="required on AWS; elsewhere eu-west-1")
    parser.add_argument("--profile", help="profile of the AWS configuration files")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--plan", action="store_true", help="say what would be made and what it costs, and end")
    parser.add_argument("--clean", action="store_true", help="find what runs have left, list it, and remove it")
    parser.add_argument("--run", metavar="RUN", help="with --clean: of this run alone")
    parser.add_argument("--source-endpoint", metavar="URL", help="a server in place of AWS")
    parser.add_argument("--destination-endpoint", metavar="URL", help="a server in place of AWS")
    parser.add_argument(
        "--local", nargs="?", const="dynamodb-local", choices=servers.LOCAL, help="start servers on this machine"
    )
    parser.add_argument(
        "--until",
        metavar="STEP",
        choices=[step.name for step in STEPS],
        help="end after this step, as 'least policies'",
    )
    parser.add_argument("--report", type=Path, default=Path(), metavar="FOLDER", help="where the report goes (here)")
    given = parser.parse_args()
    endpoints = (given.source_endpoint, given.destination_endpoint)
    problem = ""
    if any(endpoints) and not all(endpoints):
        problem = "--source-endpoint and --destination-endpoint go together"
    elif given.local and (any(endpoints) or given.profile or given.clean):
        problem = "--local starts servers of its own, empty: no endpoints, no --profile, no --clean"
    elif given.run and not given.clean:
        problem = "--run goes with --clean"
    elif not given.report.is_dir():
        problem = f"--report {given.report}: no such folder"
    elif not (given.local or any(endpoints) or (given.source_region and given.destination_region)):
        problem = "--source-region and --destination-region say where on AWS the tables are to be"
    if problem:
        parser.error(problem)
    given.source_region = given.source_region or "us-east-1"
    given.destination_region = given.destination_region or "eu-west-1"
    return given


@contextlib.contextmanager
def _place(given: argparse.Namespace, folder: Path) -> Iterator[Place]:
    if given.local:
        with servers.local(given.local, folder, given.source_region, given.destination_region) as place:
            yield place
        return
    where = "given endpoints" if given.source_endpoint else "AWS"
    source = Side(given.source_region, given.source_endpoint)
    yield Place(where, source, Side(given.destination_region, given.destination_endpoint))


def _prove(place: Place, given: argparse.Namespace, folder: Path) -> int:
    scene = Scene(place, secrets.token_hex(4), folder)
    for line in plan.lines(
        run=scene.run,
        source=place.source.region,
        destination=place.destination.region,
        where=place.where,
        roles=place.has_identities,
    ):
        print(line, flush=True)
    if given.plan:
        return 0
    try:
        with contextlib.suppress(SkippedError):
            print(identities.look(scene))
    except (ClientError, BotoCoreError) as exc:
        return _refused(f"Who calls could not be known: {exc}. Nothing was made. Put the credentials right")
    if not _agreed("Make all this", given):
        return _refused("Nothing was made. Give --yes where nobody can answer")
    began = dt.datetime.now(dt.timezone.utc)
    steps = [Outcome(name=step.name, proves=step.proves) for step in STEPS]
    ended, exit_status = f"after {given.until}, as it was told" if given.until else "", 0
    with _interruptible():
        try:
            with scene:
                _run(scene, steps, last=given.until)
        except InterruptedRunError as exc:
            ended, exit_status = f"by {exc}", exc.exit_status
    left = _remove(scene)
    made = report.make(scene, steps, began=began, left=left, ended=ended, interrupted=bool(exit_status))
    files = report.write(made, given.report)
    print(f"{'Passed' if made.passed else 'FAILED'}. Report: {files[1]}, {files[0].name}. Logs, with keys: {folder}")
    if left:
        return errno.EIO
    return exit_status or (0 if made.passed else errno.EIO)


def _run(scene: Scene, outcomes: list[Outcome], *, last: str | None) -> None:
    """One step after the other, to the first that fails: those after it would only fail for its reason."""
    for step, outcome in zip(STEPS, outcomes, strict=True):
        began = time.monotonic()
        try:
            outcome.said = step.run(scene)
            outcome.word = PASSED
        except SkippedError as exc:
            outcome.word, outcome.said = SKIPPED, str(exc)
        except InterruptedRunError:
            outcome.word, outcome.said = FAILED, "interrupted"
            raise
        except Exception as exc:  # noqa: BLE001  # whatever it is, all is to be removed, and the report to say it
            outcome.word, outcome.said = FAILED, f"{type(exc).__name__}: {exc}"
        finally:
            outcome.seconds = round(time.monotonic() - began, 1)
            outcome.said = masked(outcome.said)
            print(f"{outcome.word:8} {outcome.seconds:6.1f} s  {outcome.name}: {outcome.said}", flush=True)
        if outcome.word == FAILED or step.name == last:
            return


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """The first signal ends the steps; from then on all signals are passed over, for what is made is being removed."""

    def stop(number: int, _: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise InterruptedRunError(number)

    for each in _SIGNALS:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)


def _remove(scene: Scene) -> list[str]:
    """All of this run.

    :returns: what is left, each with the reason
    """
    print("Removing what was made ...", flush=True)
    try:
        scene.tag()  # what a command made just now
        found = list(leftovers.find(scene.place, run=scene.run))
        left = leftovers.remove([each for each in found if each.tagged], seconds=scene.patience_seconds)
        if not left:
            found = list(leftovers.find(scene.place, run=scene.run))  # what came meanwhile
            left = [f"{each.shown}: it is still there" for each in found if each.tagged]
    except (ClientError, BotoCoreError) as exc:
        left = [f"what run {scene.run} made could not be looked up: {exc}"]
        found = []
    left += [
        f"{each.shown}: its tag could not be set ({scene.seen.get('tagging')})" for each in found if not each.tagged
    ]
    for text in left:
        print(f"LEFT: {masked(text)}", file=sys.stderr, flush=True)
    return left


def _clean(place: Place, given: argparse.Namespace) -> int:
    try:
        found = list(leftovers.find(place, run=given.run))
    except (ClientError, BotoCoreError) as exc:
        return _refused(f"Nothing could be looked up: {exc}. Nothing was removed. Put that right")
    for each in found:
        print(each.shown if each.tagged else f"NOT TOUCHED, its tag doesn't fit its name: {each.shown}")
    own = [each for each in found if each.tagged]
    if not own:
        print(f"Nothing to remove in {place.source.region} and {place.destination.region}.")
        return errno.EINVAL if found else 0
    print(
        f"A run that is still under way loses its tables, too. Runs: {', '.join(sorted({each.run for each in own}))}."
    )
    if not _agreed(f"Remove these {len(own)}", given):
        return _refused("Nothing was removed. Give --yes where nobody can answer")
    left = leftovers.remove(own, seconds=1200)
    for text in left:
        print(f"LEFT: {masked(text)}", file=sys.stderr)
    print(f"Removed {len(own) - len(left)} of {len(own)}.")
    return errno.EIO if left else errno.EINVAL if len(found) > len(own) else 0


def _agreed(question: str, given: argparse.Namespace) -> bool:
    if given.yes:
        return True
    if not sys.stdin.isatty():
        return False
    with contextlib.suppress(EOFError):
        return input(f"{question}? [y/N] ").strip().lower() in {"y", "yes"}
    return False


def _refused(message: str) -> int:
    print(f"test: {message}.", file=sys.stderr)
    return errno.EINVAL


if __name__ == "__main__":
    raise SystemExit(main())
