"""Where a run's tables are: on AWS, at given endpoints, or on servers that it starts itself."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.commands.demo.moto_server import MotoServer
from tests.conftest import ENVIRONMENT

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 10})  # a provisioned table throttles its reader, too
LOCAL = ("dynamodb-local", "moto")


@dataclass(frozen=True, slots=True)
class Side:
    """One region; ``endpoint`` is None on AWS."""

    region: str
    endpoint: str | None

    def client(self, service: str = "dynamodb") -> Any:
        """A client there: DynamoDB and its streams by ``endpoint``, all else by the SDK's own rules."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=self.region,
            endpoint_url=self.endpoint if service.startswith("dynamodb") else None,
            config=_CONFIG,
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Both regions, and what is there beside DynamoDB.

    :param where: for people
    """

    where: str
    source: Side
    destination: Side

    @property
    def is_aws(self) -> bool:
        """Whether it is AWS itself, on both sides."""
        named = any(name.startswith("AWS_ENDPOINT_URL") for name in os.environ)
        return self.source.endpoint is None and self.destination.endpoint is None and not named

    @property
    def has_identities(self) -> bool:
        """Whether STS and IAM belong to these tables: AWS's are never asked about tables that are elsewhere."""
        return self.is_aws or {"AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS"} <= os.environ.keys()


@contextlib.contextmanager
def local(kind: str, folder: Path, source: str, destination: str) -> Iterator[Place]:
    """Servers on this machine, and credentials that open nothing else."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT)
    with contextlib.ExitStack() as stack:
        if kind == "moto":
            moto = MotoServer(log=folder / "moto.log", python=Path(sys.executable)).start()
            stack.callback(moto.stop)
            endpoint = moto.wait().endpoint
            os.environ |= {f"AWS_ENDPOINT_URL_{service}": endpoint for service in ("IAM", "STS")}
            endpoints = [endpoint, endpoint]
        else:
            servers = [DynamoDBLocal(log=folder / f"{role}.log").start() for role in ("source", "destination")]
            for server in servers:
                stack.callback(server.stop)
            endpoints = [server.wait().endpoint for server in servers]
        where = {"moto": "moto's server", "dynamodb-local": "two DynamoDB Local servers"}[kind]
        yield Place(where, Side(source, endpoints[0]), Side(destination, endpoints[1]))
