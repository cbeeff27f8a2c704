"""Seconds of ``./run.sh status``, from the command to its end, on 500 simulated shards of eight daemons."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import uuid
from pathlib import Path

import boto3

from processor.commands.demo.workload import create_table
from processor.flow.chance import CHANCE
from processor.startup import java
from tests.fakes.dynamodb.lease_table import LeaseTable
from tests.fakes.streams.streams_simulator import StreamsSimulator
from tests.fakes.task import tasks
from tests.scenarios.conftest import Servers

Figures = dict[str, list[float]]
SHARDS = 500
DAEMONS = 8
LOOKS = 20


def status(servers: Servers, folder: Path) -> Figures:  # noqa: ARG001  # each bench is given one
    """All shards applied, so each costs an iterator and two pages; the daemons renew at moments of their own."""
    figures: Figures = {"500 shards, s": [], "500 shards, CPU s": []}
    name = f"status-{uuid.uuid4().hex[:8]}"
    client = boto3.client("dynamodb", region_name=tasks.REQUIRED["destinationRegion"], endpoint_url=servers.destination)
    create_table(client, name, stream=False)
    with StreamsSimulator(shards=SHARDS, seed=1, region=tasks.REQUIRED["sourceRegion"]) as simulator:
        given = {
            **tasks.REQUIRED,
            "sourceTable": simulator.table,
            "sourceEndpoint": simulator.endpoint,
            "destinationTable": name,
            "destinationEndpoint": servers.destination,
            "kclEndpoint": servers.source,
            "taskName": name,
        }
        simulator.fill(4 * SHARDS)
        owners = {shard.id: f"worker-{number % DAEMONS}" for number, shard in enumerate(simulator.shards())}
        checkpoints = {event.shard_id: event.sequence_number for event in simulator.history}
        settings = tasks.task(**given)
        leases = LeaseTable(
            settings,
            owners,
            checkpoints=checkpoints,
            renewing=owners.values(),
            renewal_seconds=settings.failover_seconds / 3,
        )
        leases.record(simulator.stream_arn)
        arguments = [part for setting, value in given.items() for part in (f"--{setting}", value)]
        with leases:
            for _ in range(LOOKS):
                time.sleep(CHANCE.uniform(0, 1))  # any moment between two renewals
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                began = time.monotonic()
                done = subprocess.run(
                    [java.ROOT / "run.sh", "status", *arguments, "--json"], capture_output=True, check=False
                )
                figures["500 shards, s"].append(time.monotonic() - began)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                figures["500 shards, CPU s"].append(cpu)
                counts = json.loads(done.stdout)["counts"]
                if done.returncode or counts["reading"] != SHARDS:
                    sys.exit(f"not healthy: {done.returncode}, {counts}")
    return figures
