"""moto's server as the demo starts it."""

from __future__ import annotations

import sys
from pathlib import Path

import boto3
import pytest

from processor.commands.demo.moto_server import MotoServer
from processor.commands.demo.workload import create_table, scan
from processor.errors import SetupError


def test_it_serves_tables_until_it_is_stopped(tmp_path: Path) -> None:
    """On the loopback interface, with a stream as the demo wants it."""
    server = MotoServer(log=tmp_path / "moto.log", python=Path(sys.executable)).start().wait()
    try:
        client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=server.endpoint)
        create_table(client, "orders", stream=True)
        client.put_item(TableName="orders", Item={"id": {"S": "1"}})
        assert scan(client, "orders") == {"1": {"id": {"S": "1"}}}
        assert client.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    finally:
        server.stop()


def test_one_that_does_not_start_is_said(tmp_path: Path) -> None:
    """With the file that says why."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(SetupError, match=r"moto\.log says why"):
        MotoServer(log=tmp_path / "moto.log", python=broken).start().wait()
