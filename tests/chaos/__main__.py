"""``./test.sh chaos``: episodes of chaos, one after the other, until the time is over or one of them fails."""

from __future__ import annotations

import argparse
import dataclasses
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from rich.console import Console

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.startup import java
from tests.chaos import plan, report
from tests.chaos.bugs import BUGS, SELF_BUGS
from tests.chaos.episode import Episode, Result
from tests.chaos.two_way import episode as two_way_episode
from tests.chaos.two_way import plan as two_way_plan
from tests.chaos.two_way import report as two_way_report
from tests.chaos.two_way.bugs import BUGS as TWO_WAY_BUGS
from tests.chaos.two_way.plan import POLICIES
from tests.conftest import take_environment
from tests.fakes.machine.planted import planted_checkout

# A bug that is planted may keep the tables from ever being equal.
_PLANTED_REST_SECONDS = 10.0


class _Result(Protocol):
    @property
    def violations(self) -> Sequence[str]: ...


R = TypeVar("R", bound=_Result)


def main() -> int:
    """Run it.

    :returns: 0 if the checker found nothing; with ``--plant``, if it found the bug
    """
    given = _given()
    take_environment()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    if given.plant:
        return _two_way_plant(given, folder) if given.plant in TWO_WAY_BUGS else _plant(given.plant, folder)
    console = Console(width=max(Console().width, 170))
    return _two_way(given, folder, console) if given.two_way else _one_way(given, folder, console)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test.sh chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="begin no episode after so long")
    parser.add_argument("--seed", type=int, help="of the first episode; the next ones count on from it")
    parser.add_argument("--episode-seconds", type=float, default=90.0, help="how long faults go on in each episode")
    parser.add_argument("--mode", choices=plan.modes(), action="append", help="only this writeMode; may be given again")
    parser.add_argument("--two-way", action="store_true", help="twoWay=true, and applications that write on both sides")
    parser.add_argument("--conflicts", choices=POLICIES, action="append", help="only this one; with --two-way")
    parser.add_argument("--view", action="store_true", help="with a filter that items go out of and into, and a mask")
    parser.add_argument(
        "--self",
        dest="by_itself",
        action="store_true",
        help="tasks make their own replicas (bootstrap, afterLoss=copy); only their end is checked",
    )
    parser.add_argument("--tasks", type=int, default=1, help="of each daemon, which has a directory of them")
    parser.add_argument("--streams", type=int, default=1, help="that these tasks read, in turns")
    parser.add_argument("--without", action="append", default=[], help="no faults of this kind; may be given again")
    parser.add_argument("--keep-going", action="store_true", help="go on after an episode that failed")
    parser.add_argument("--checkout", type=Path, default=java.ROOT, help="run this checkout's run.sh")
    parser.add_argument(
        "--plant",
        choices=sorted({**BUGS, **SELF_BUGS, **TWO_WAY_BUGS}),
        help="plant this bug, and expect it to be noticed",
    )
    given = parser.parse_args()
    if not 1 <= given.streams <= given.tasks:
        parser.error("--streams: from 1 to the number of --tasks")
    if given.seed is None and not given.plant:
        given.seed = random.SystemRandom().randrange(10**6)
    return given


def _one_way(given: argparse.Namespace, folder: Path, console: Console) -> int:
    with DynamoDBLocal(log=folder / "dynamodb-local.log") as server:

        def run(number: int) -> Result:
            made = plan.make(
                given.seed + number,
                seconds=given.episode_seconds,
                modes=given.mode or plan.modes(),
                without=given.without,
                view=given.view,
                tasks=given.tasks,
                streams=given.streams,
                by_itself=given.by_itself,
            )
            print(made, flush=True)
            place = folder / str(made.seed)
            result = Episode(made, endpoint=server.endpoint, folder=place, root=given.checkout).run()
            if result.violations:
                report.write_journals(result, place)
                _say_failed(report.failure(result), place)
            return result

        results = _episodes(given, run)
    report.show(results, console)
    return int(any(result.violations for result in results))


def _two_way(given: argparse.Namespace, folder: Path, console: Console) -> int:
    """Episodes of applications on both sides, each on a server of its own: two streams are more than one can keep."""

    def run(number: int) -> two_way_episode.Result:
        made = _two_way_plan(given, given.seed + number)
        print(made, flush=True)
        place = folder / str(made.seed)
        with DynamoDBLocal(log=folder / f"dynamodb-local-{made.seed}.log") as server:
            episode = two_way_episode.Episode(made, endpoint=server.endpoint, folder=place, root=given.checkout)
            result = episode.run()
        if result.violations:
            two_way_report.write_histories(result, place)
            _say_failed(two_way_report.failure(result), place)
        return dataclasses.replace(result, books={}, entries=())  # they take much memory

    results = _episodes(given, run)
    two_way_report.show(results, console)
    return int(any(result.violations for result in results))


def _episodes(given: argparse.Namespace, run: Callable[[int], R]) -> list[R]:
    """One after the other, until the time is over or one has failed.

    :param run: takes an episode's number, from 0
    """
    results: list[R] = []
    until = time.monotonic() + given.minutes * 60
    while time.monotonic() < until:
        results.append(run(len(results)))
        if results[-1].violations and not given.keep_going:
            break
    return results


def _say_failed(failure: str, place: Path) -> None:
    print(f"\nFAILED {failure}\nLogs: {place}\n", flush=True)


def _plant(name: str, folder: Path) -> int:
    bug = (BUGS | SELF_BUGS)[name]
    root = planted_checkout(folder / "planted", bug.edits)
    with DynamoDBLocal(log=folder / "dynamodb-local.log") as server:
        episode = Episode(bug.plan, endpoint=server.endpoint, folder=folder / name, root=root, symptom=bug.symptom)
        result = episode.run()
    print(report.failure(result))
    return _say_noticed(name, result, (bug.symptom,))


def _two_way_plant(given: argparse.Namespace, folder: Path) -> int:
    bug = TWO_WAY_BUGS[given.plant]
    made = _two_way_plan(given, given.seed or 1)
    root = planted_checkout(folder / "planted", bug.edits)
    place = folder / given.plant
    with DynamoDBLocal(log=folder / "dynamodb-local.log") as server:
        result = two_way_episode.Episode(
            made, endpoint=server.endpoint, folder=place, root=root, rest_seconds=_PLANTED_REST_SECONDS
        ).run()
    two_way_report.write_histories(result, place)
    print(f"{two_way_report.failure(result)}\nLogs: {place}")
    return _say_noticed(given.plant, result, bug.symptoms)


def _two_way_plan(given: argparse.Namespace, seed: int) -> two_way_plan.Plan:
    return two_way_plan.make(
        seed, seconds=given.episode_seconds, policies=given.conflicts or POLICIES, without=given.without
    )


def _say_noticed(name: str, result: _Result, symptoms: Sequence[str]) -> int:
    """Whether a violation has one of the symptoms; returns the exit status."""
    is_noticed = any(symptom in violation for violation in result.violations for symptom in symptoms)
    print(f"\n{name}: {'noticed' if is_noticed else 'NOT noticed'}")
    return int(not is_noticed)


if __name__ == "__main__":
    raise SystemExit(main())
