"""``./test.sh faults``: the fault matrix, or the cells that are named, and docs/faults.md where all of it was run."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3

from processor import java
from processor.dynamodb_local import DynamoDBLocal
from tests.conftest import ENVIRONMENT
from tests.fakes.moto_server import MotoServer
from tests.faults import report
from tests.faults.cells import chosen
from tests.faults.jobs import jobs
from tests.faults.outcome import FAILED
from tests.faults.world import BUCKET, Servers

_PAGE = java.ROOT / "docs" / "faults.md"


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """What all cells share."""
    with DynamoDBLocal(log=folder / "dynamodb-local.log") as local, MotoServer("S3") as moto:
        boto3.client("s3", region_name="us-east-1", endpoint_url=moto.endpoint).create_bucket(Bucket=BUCKET)
        yield Servers(dynamodb=local.endpoint, moto=moto.endpoint)


def main() -> int:
    """Run it.

    :returns: 0 if everything held in every cell, else 1
    """
    parser = argparse.ArgumentParser(prog="./test.sh faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which parts, codes and ends of connections (default: 1)")
    parser.add_argument("--only", metavar="CALL[:FAULT[:MOMENT]]", help="these cells, as leases.Scan:denied:start")
    parser.add_argument("--lanes", type=int, default=4, help="how many cells at once (default: 4)")
    parser.add_argument("--report", type=Path, help="write the outcomes here, as JSON (see tests/faults/report.py)")
    given = parser.parse_args()
    try:
        cells = chosen(given.only)
    except ValueError as exc:
        parser.error(str(exc))
    for name in [name for name in os.environ if name.startswith(("AWS_", "REPLICATION_"))]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT)
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    file = given.report or folder / "faults.json"
    progress = report.Progress(len(cells))
    began = time.monotonic()
    with servers(folder) as shared, ThreadPoolExecutor(given.lanes) as lanes:
        running = [
            lanes.submit(job.run, progress.tell) for job in jobs(cells, seed=given.seed, servers=shared, folder=folder)
        ]
        for each in running:
            each.result()
    seconds = time.monotonic() - began
    outcomes = progress.outcomes
    report.write_json(file, outcomes, seed=given.seed, seconds=seconds)
    if given.only is None:
        _PAGE.write_text(report.page(outcomes, seed=given.seed))
    failed = [outcome for outcome in outcomes if outcome.word == FAILED]
    for outcome in failed:
        print(f"FAILED {outcome.cell.name}: {'; '.join(outcome.wrong)}")
    print(f"{len(outcomes)} cells, {len(failed)} failed, {seconds:.0f} s; seed {given.seed}. All of it: {file}")
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
