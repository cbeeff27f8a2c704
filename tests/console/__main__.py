"""``./test.sh pictures``: draws docs/images/console-*.png anew, of the page beside a real daemon of three tasks.

Takes five minutes: the charts have to have something to draw. One task is written to all the time, and its daemon
stands still for a while; one is quiet; of one the destination refuses a change. In the end the daemon is killed. Then a
replica makes itself, of a table that is full and written to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import javaproperties

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.demo.own_replica import OwnReplica
from processor.commands.demo.workload import Workload, create_table
from processor.startup import java
from tests.conftest import ENVIRONMENT
from tests.console.browser import chromium
from tests.fakes.console import Console
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.task.tasks import task

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = java.ROOT / "docs" / "images"
TASKS = ("customers", "invoices", "orders")
SOURCE, DESTINATION = "us-east-1", "eu-west-1"
# By turns: how long, and the pause between two writes; None while the daemon stands still.
COURSE = ((45.0, 0.02), (25.0, 0.008), (14.0, None), (40.0, 0.015), (25.0, 0.03))
# Of the replica that makes itself, so that it takes half a minute.
COPY_WRITE_UNITS = 80
WIDE, PHONE = {"width": 1120, "height": 700}, {"width": 360, "height": 740}


class Stage:
    """The servers, their tables, and the files of the tasks."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        servers = [
            stack.enter_context(DynamoDBLocal(log=folder / f"{name}.log")).endpoint
            for name in ("source", "destination")
        ]
        self.source: Any = boto3.client("dynamodb", region_name=SOURCE, endpoint_url=servers[0])
        self.destination: Any = boto3.client("dynamodb", region_name=DESTINATION, endpoint_url=servers[1])
        self.conf = folder / "conf"
        self.conf.mkdir()
        self.common = {
            "sourceRegion": SOURCE,
            "sourceEndpoint": servers[0],
            "destinationRegion": DESTINATION,
            "destinationEndpoint": servers[1],
            "logDirectory": str(folder / "logs"),
            "dontPublishCloudwatch": "true",
        }
        for name in TASKS:
            create_table(self.source, name, stream=True)
            self.name(self.conf, name)
        for name in ("customers", "orders"):
            create_table(self.destination, f"{name}-copy", stream=False)
        self._create_refusing("invoices-copy")

    def _create_refusing(self, name: str) -> None:
        """A table that takes only numbers as ``total``, which is a key of its index."""
        self.destination.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "total", "AttributeType": "N"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-total",
                    "KeySchema": [{"AttributeName": "total", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def name(self, folder: Path, name: str, **settings: str) -> None:
        """Write a task's file."""
        given = {**self.common, "sourceTable": name, "destinationTable": f"{name}-copy", "taskName": name, **settings}
        (folder / f"{name}.properties").write_text(javaproperties.dumps(given, timestamp=False))

    def put(self, table: str, key: str, **attributes: Any) -> None:
        """Write an item at the source."""
        self.source.put_item(TableName=table, Item={"id": {"S": key}, **attributes})


def _write(stage: Stage, daemon: subprocess.Popen[bytes]) -> None:
    for number, (seconds, pause) in enumerate(COURSE):
        if pause is None:
            daemon.send_signal(signal.SIGSTOP)
        work = Workload(stage.source, "orders", seed=number, pause_seconds=pause or 0.02)
        work.start()
        time.sleep(seconds)
        work.stop()
        if pause is None:
            daemon.send_signal(signal.SIGCONT)


def _picture(page: Page, name: str, *, scheme: Any = "light", size: Any = WIDE, whole: bool = True) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.wait_for_timeout(1500)
    page.screenshot(path=PICTURES / f"console-{name}.png", full_page=whole)


def _draw_replica(stage: Stage, folder: Path, stack: ExitStack) -> None:
    """A replica that makes itself: half-way, and when it is in sync."""
    settings = {"bootstrap": "true", "copyWriteUnits": str(COPY_WRITE_UNITS)}
    stage.name(folder, "products", **settings)
    OwnReplica(stage.source, task(sourceTable="products", **settings)).fill()
    work = Workload(stage.source, "products", seed=7, pause_seconds=0.03)
    work.start()
    stack.callback(work.stop)
    with (folder / "replica.log").open("wb") as log:
        command = [java.ROOT / "run.sh", folder / "products.properties"]
        daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    stack.callback(daemon.wait)
    stack.callback(daemon.terminate)
    console = stack.enter_context(Console("products.properties", directory=folder, interval="1"))
    page = stack.enter_context(chromium()).new_page()
    page.goto(console.address)
    page.wait_for_function(
        "() => parseInt(document.querySelector('#fact-replica dd')?.textContent.match(/copying, (\\d+) %/)?.[1]) >= 30",
        timeout=PATIENCE_SECONDS * 1000,
    )
    _picture(page, "copying")
    page.wait_for_function(
        "() => document.querySelector('#fact-replica dd')?.textContent.startsWith('in sync, verified at ')",
        timeout=PATIENCE_SECONDS * 1000,
    )
    page.wait_for_timeout(45_000)
    _picture(page, "in-sync", scheme="dark")


def main() -> None:
    """Draw them."""
    os.environ.update(ENVIRONMENT)
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        folder = Path(made)
        stage = Stage(folder, stack)
        command = [java.ROOT / "run.sh", stage.conf]
        with (folder / "daemon.log").open("wb") as log:
            daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        stack.callback(daemon.wait)
        stack.callback(daemon.kill)
        console = stack.enter_context(Console("conf", directory=folder, interval="2"))
        page = stack.enter_context(chromium()).new_page()
        page.goto(f"{console.address}?task=orders")
        for number in range(20):
            stage.put("customers", f"customer-{number}")
            stage.put("invoices", f"invoice-{number}", total={"N": str(number)})
        _write(stage, daemon)
        stage.put("invoices", "invoice-20", total={"S": "twelve"})
        work = Workload(stage.source, "orders", seed=99, pause_seconds=0.02)
        work.start()
        stack.callback(work.stop)
        page.wait_for_timeout(12_000)
        _picture(page, "healthy")
        _picture(page, "phone", size=PHONE, whole=False)
        page.goto(console.address)
        page.wait_for_selector("#lines tr[data-level=bad]")
        _picture(page, "tasks")
        page.goto(f"{console.address}?task=invoices")
        page.wait_for_selector("#findings li")
        _picture(page, "held")
        page.goto(f"{console.address}?task=orders")
        daemon.kill()
        page.wait_for_selector("body[data-level=bad]")
        page.wait_for_timeout(8_000)
        _picture(page, "not-healthy", scheme="dark")
        _draw_replica(stage, folder, stack)


if __name__ == "__main__":
    main()
