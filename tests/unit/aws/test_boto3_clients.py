"""Which processes have boto3: commands that take minutes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from processor.aws import boto3_clients
from processor.aws.clients import Clients
from processor.settings.identity import SESSION_NAME
from tests.fakes.network.http_server import HttpServer
from tests.fakes.task.tasks import task

QUICK = ["replication.assembly", "metrics.exporter", "startup.preflight", "commands.replicate.command", "cli.main"]


@pytest.mark.parametrize("made_by", ["boto3", "botocore"])
def test_a_client_is_made_by_what_a_command_wants(made_by: str) -> None:
    """It has the same credentials, and says which SDK it is of."""
    with HttpServer() as server:
        settings = task(sourceEndpoint=server.endpoint)
        clients = Clients(settings, create=boto3_clients.create) if made_by == "boto3" else Clients(settings)
        clients.source().list_tables()
        (request,) = server.requests
    agent = request.headers["User-Agent"]
    assert agent.startswith("Boto3/" if made_by == "boto3" else "Botocore/")
    assert agent.endswith(SESSION_NAME)


@pytest.mark.parametrize("module", QUICK)
def test_what_starts_often_has_no_boto3(module: str) -> None:
    """A child, the process of the metrics, a start, and a command before it is known which one."""
    code = f"import sys, processor.{module}; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
