"""``./test.sh faults``: the fault matrix, or the cells that are named, and docs/faults.md where all of it was run."""

from __future__ import annotations

import argparse
import contextlib
import signal
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.startup import java
from tests.conftest import take_environment
from tests.fakes.aws.moto_server import MotoServer
from tests.faults import report
from tests.faults.cells import Cell, all_cells, chosen
from tests.faults.jobs import Job, Tell, jobs
from tests.faults.outcome import FAILED
from tests.faults.world import BUCKET, Servers

_PAGE = java.ROOT / "docs" / "faults.md"


@contextlib.contextmanager
def bucket_server() -> Iterator[str]:
    """The endpoint of a moto with the bucket of dead letters."""
    with MotoServer("S3") as moto:
        boto3.client("s3", region_name="us-east-1", endpoint_url=moto.endpoint).create_bucket(Bucket=BUCKET)
        yield moto.endpoint


def run_alone(job: Job, tell: Tell, *, moto: str) -> None:
    """Run a job with a DynamoDB Local of its own: after hundreds of tables with streams one takes seconds to answer."""
    name = f"dynamodb-local-{uuid.uuid4().hex[:8]}.log"
    with DynamoDBLocal(log=job.folder / name) as local:
        job.run(Servers(dynamodb=local.endpoint, moto=moto), tell)


def main() -> int:
    """Run it.

    :returns: 0 if everything held in every cell, else 1
    """
    parser = argparse.ArgumentParser(prog="./test.sh faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which parts, codes and ends of connections (default: 1)")
    parser.add_argument("--only", metavar="CALL[:FAULT[:MOMENT]]", help="these cells, as leases.Scan:denied:start")
    parser.add_argument("--lanes", type=int, default=4, help="how many cells at once (default: 4)")
    parser.add_argument("--report", type=Path, help="write the outcomes here, as JSON (see tests/faults/report.py)")
    parser.add_argument("--resume", type=Path, help="go on with this JSON's run: only what is left of it, or failed")
    given = parser.parse_args()
    try:
        cells = chosen(given.only)
        before = report.read(given.resume, seed=given.seed) if given.resume else []
    except (OSError, ValueError) as exc:
        parser.error(str(exc))
    take_environment()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    file = given.report or given.resume or folder / "faults.json"
    done = {outcome.cell for outcome in before}
    left = [cell for cell in cells if cell not in done]
    progress = report.Progress(len(left) + len(before), file, seed=given.seed, before=before)
    _run(left, progress, seed=given.seed, lanes=given.lanes, folder=folder)
    progress.keep()
    outcomes = progress.outcomes
    if len(outcomes) == len(list(all_cells())):
        _PAGE.write_text(report.page(outcomes, seed=given.seed))
    failed = [outcome for outcome in outcomes if outcome.word == FAILED]
    for outcome in failed:
        print(f"FAILED {outcome.cell.name}: {'; '.join(outcome.wrong)}")
    print(
        f"{len(outcomes)} cells, {len(failed)} failed, {progress.seconds:.0f} s; seed {given.seed}. All of it: {file}"
    )
    return int(bool(failed))


def _run(cells: Sequence[Cell], progress: report.Progress, *, seed: int, lanes: int, folder: Path) -> None:
    """Several jobs at once. Ctrl-C and SIGTERM let the cells under way end, and begin no other."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with bucket_server() as moto, ThreadPoolExecutor(lanes) as pool:
        made = jobs(cells, seed=seed, folder=folder, stop=stop)
        for each in [pool.submit(run_alone, job, progress.tell, moto=moto) for job in made]:
            each.result()


if __name__ == "__main__":
    raise SystemExit(main())
