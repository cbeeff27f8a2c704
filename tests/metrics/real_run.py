"""A replication that has its troubles, and a real Prometheus that scrapes it meanwhile.

Two daemons, a simulated source of two shards, and DynamoDB Local as the destination, behind a proxy that throttles and
fails.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from processor.commands.demo.dynamodb_local import DynamoDBLocal, free_port
from processor.metrics import heartbeat
from processor.startup import java
from tests.fakes.daemon.fleet import Fleet
from tests.fakes.network import faults
from tests.fakes.patience import until

SCRAPE_SECONDS = 2
TASK = "orders"
_KEYS = 400
_WRITES = ("BatchWriteItem", "PutItem", "DeleteItem")


class Prometheus:
    """A server that keeps what it scrapes in ``folder``, and may be started on that again later."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._port = free_port()
        scraped = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": f"machine-{number}"}}
            for number, port in enumerate(ports, 1)
        ]
        configuration = {
            "global": {"scrape_interval": f"{SCRAPE_SECONDS}s"},
            "scrape_configs": [{"job_name": "dynamodb-replicator", "static_configs": scraped}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(configuration))  # YAML, too

    def __enter__(self) -> Prometheus:  # noqa: PYI034  # Self came with Python 3.11
        program = shutil.which("prometheus", path=f"{java.ROOT}/.prometheus/usr/bin") or shutil.which("prometheus")
        assert program, "Prometheus is not here: ./test.sh prometheus"
        with (self._folder / "prometheus.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={self._folder}/prometheus.yml",
                    f"--storage.tsdb.path={self._folder}/data",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                stdout=log,
                stderr=log,
            )
        until(self._is_ready, "Prometheus")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def ask(self, call: str, **parameters: object) -> list[dict[str, Any]]:
        """The result of one call of its API, such as ``query_range``."""
        query = urllib.parse.urlencode(parameters)
        url = f"http://127.0.0.1:{self._port}/api/v1/{call}?{query}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=5):
            return True
        return False


def run(folder: Path) -> tuple[float, float]:
    """About five minutes of it; returns when they began and ended, in seconds since the epoch."""
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        checkpoints = stack.enter_context(DynamoDBLocal(log=folder / "checkpoints.log"))
        destination = stack.enter_context(DynamoDBLocal(log=folder / "destination.log"))
        fleet = stack.enter_context(
            Fleet(
                folder,
                checkpoints=checkpoints.endpoint,
                destination=destination.endpoint,
                shards=2,
                settings={
                    "taskName": TASK,
                    "metricsAddress": "127.0.0.1",
                    "heartbeatSeconds": "5",
                    "onError": "deadLetter",
                    "deadLetterUri": f"file://{folder}/dead-letters.jsonl",
                },
            )
        )
        fleet.start(metricsPort=str(ports[0]))
        fleet.wait_even(1)
        stack.enter_context(Prometheus(folder / "prometheus", ports))
        stack.enter_context(_steady(fleet))
        began = time.time()
        _troubles(fleet, ports[1])
        return began, time.time()


def _troubles(fleet: Fleet, second_port: int) -> None:
    _say("quiet")
    _pass(50)
    _say("a burst")
    fleet.simulator.fill(12_000)
    _pass(45)
    _say("the destination throttles")
    throttling = fleet.proxy.follow(faults.plan(1, throttled=0.7), *_WRITES)
    fleet.simulator.fill(3_000, prefix="more-")
    _pass(50)
    throttling.clear()
    _pass(20)
    _say("one item is refused")
    poison = fleet.proxy.inject(faults.error("ValidationException"), *_WRITES, when=lambda each: b"poison" in each.body)
    for number in range(3):
        fleet.simulator.put({"id": {"S": f"poison-{number}"}})
    _pass(15)
    poison.clear()
    _say("a second daemon")
    fleet.start(metricsPort=str(second_port))
    fleet.wait_even(2, seconds=300)
    _pass(30)
    _say("a shard ends")
    fleet.simulator.roll_over()
    _pass(25)
    _say("the destination is away")
    away = fleet.proxy.inject(faults.error("InternalServerError"), *_WRITES)
    _pass(20)
    away.clear()
    _pass(45)


@contextmanager
def _steady(fleet: Fleet) -> Iterator[None]:
    """Some sixty changes a second: most of them puts, now and then a key twice, one delete in ten.

    And heartbeats; the daemons' own are refused, for the simulator knows no conditions.
    """
    stop, chance = threading.Event(), random.Random(7)
    beat = heartbeat.key({"id": "S"}, TASK)

    def write() -> None:
        number, at = 0, 0.0
        while not stop.wait(0.1):
            if time.time() - at > 2.5:
                at = time.time()
                now_ms = str(int(time.time() * 1000))
                fleet.simulator.put({**beat, heartbeat.WRITTEN_AT: {"N": now_ms}})
            for _ in range(chance.randint(3, 9)):
                number += 1
                key = {"id": {"S": f"order-{chance.randrange(_KEYS)}"}}
                if chance.random() < 0.1:
                    fleet.simulator.delete(key)
                else:
                    fleet.simulator.put({**key, "state": {"S": "x" * chance.randint(50, 400)}, "n": {"N": str(number)}})

    thread = threading.Thread(target=write, name="steady")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _pass(seconds: float) -> None:
    threading.Event().wait(seconds)


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
