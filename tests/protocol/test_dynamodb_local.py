"""DynamoDB Local, as the demo and the tests start it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from processor.commands.demo.dynamodb_local import DynamoDBLocal


def test_nobody_else_on_the_network_reaches_it(tmp_path: Path) -> None:
    """It takes any credentials, so it listens on 127.0.0.1 alone; all interfaces would be 127.0.0.2 too."""
    with DynamoDBLocal(log=tmp_path / "log") as server:
        socket.create_connection(("127.0.0.1", server.port)).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", server.port))
