"""``./test.sh chaos``: episodes of chaos, one after the other, until the time is over or one of them fails."""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import tempfile
import time
from pathlib import Path

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
from tests.conftest import ENVIRONMENT
from tests.fakes.machine.planted import planted_checkout

# A bug that is planted may keep the tables from ever being equal.
_PLANTED_REST_SECONDS = 10.0


def main() -> int:
    """Run it.

    :returns: 0 if the checker found nothing; with ``--plant``, if it found the bug
    """
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
    for name in [name for name in os.environ if name.startswith(("AWS_", "REPLICATION_"))]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT)
    console = Console(width=max(Console().width, 170))
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    if given.two_way and not given.plant:
        return _two_way(given, seed, folder, console)
    with DynamoDBLocal(log=folder / "dynamodb-local.log") as server:
        if given.plant in TWO_WAY_BUGS:
            return _plant_two_way(given, server.endpoint, folder)
        if given.plant:
            return _plant(given.plant, server.endpoint, folder)
        results: list[Result] = []
        until = time.monotonic() + given.minutes * 60
        while time.monotonic() < until:
            made = plan.make(
                seed + len(results),
                seconds=given.episode_seconds,
                modes=given.mode or plan.modes(),
                without=given.without,
                view=given.view,
                tasks=given.tasks,
                streams=given.streams,
                by_itself=given.by_itself,
            )
            print(made, flush=True)
            results.append(
                Episode(made, endpoint=server.endpoint, folder=folder / str(made.seed), root=given.checkout).run()
            )
            if results[-1].violations:
                report.write_journals(results[-1], folder / str(made.seed))
                print(f"\nFAILED {report.failure(results[-1])}\nLogs: {folder / str(made.seed)}\n", flush=True)
                if not given.keep_going:
                    break
        report.show(results, console)
    return int(any(result.violations for result in results))


def _plant(name: str, endpoint: str, folder: Path) -> int:
    bug = (BUGS | SELF_BUGS)[name]
    root = planted_checkout(folder / "planted", bug.edits)
    result = Episode(bug.plan, endpoint=endpoint, folder=folder / name, root=root, rest_seconds=bug.rest_seconds).run()
    print(report.failure(result))
    is_noticed = any(bug.symptom in violation for violation in result.violations)
    print(f"\n{name}: {'noticed' if is_noticed else 'NOT noticed'}")
    return int(not is_noticed)


def _two_way(given: argparse.Namespace, seed: int, folder: Path, console: Console) -> int:
    """Episodes of applications on both sides, each on a server of its own: two streams are more than one can keep."""
    results: list[two_way_episode.Result] = []
    until = time.monotonic() + given.minutes * 60
    while time.monotonic() < until:
        made = two_way_plan.make(
            seed + len(results),
            seconds=given.episode_seconds,
            policies=given.conflicts or POLICIES,
            without=given.without,
        )
        print(made, flush=True)
        place = folder / str(made.seed)
        with DynamoDBLocal(log=folder / f"dynamodb-local-{made.seed}.log") as server:
            episode = two_way_episode.Episode(made, endpoint=server.endpoint, folder=place, root=given.checkout)
            results.append(episode.run())
        if results[-1].violations:
            two_way_report.write_histories(results[-1], place)
            print(f"\nFAILED {two_way_report.failure(results[-1])}\nLogs: {place}\n", flush=True)
            if not given.keep_going:
                break
        results[-1] = dataclasses.replace(results[-1], books={}, entries=())  # they take much memory
    two_way_report.show(results, console)
    return int(any(result.violations for result in results))


def _plant_two_way(given: argparse.Namespace, endpoint: str, folder: Path) -> int:
    """Run one episode, which must notice the bug."""
    bug = TWO_WAY_BUGS[given.plant]
    made = two_way_plan.make(
        given.seed or 1, seconds=given.episode_seconds, policies=given.conflicts or POLICIES, without=given.without
    )
    root = planted_checkout(folder / "planted", bug.edits)
    place = folder / given.plant
    result = two_way_episode.Episode(
        made, endpoint=endpoint, folder=place, root=root, rest_seconds=_PLANTED_REST_SECONDS
    ).run()
    two_way_report.write_histories(result, place)
    print(f"{two_way_report.failure(result)}\nLogs: {place}")
    is_noticed = any(symptom in violation for violation in result.violations for symptom in bug.symptoms)
    print(f"\n{given.plant}: {'noticed' if is_noticed else 'NOT noticed'}")
    return int(not is_noticed)


if __name__ == "__main__":
    raise SystemExit(main())
