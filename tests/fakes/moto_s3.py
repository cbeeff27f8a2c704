"""S3 as moto's server has it, and what a test wants to see of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import boto3
from moto.server import ThreadedMotoServer

from processor.dynamodb_local import free_port

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"


class MotoS3:
    """A server of its own, in its context; clients find it by ``environment``."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._port = free_port()
        self._server = ThreadedMotoServer(port=self._port, verbose=False)

    def __enter__(self) -> MotoS3:  # noqa: PYI034  # Self came with Python 3.11
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """What sends every SDK's S3 calls here."""
        return {"AWS_ENDPOINT_URL_S3": self.endpoint}

    def client(self) -> S3Client:
        """A client of its own."""
        return boto3.client("s3", region_name=REGION, endpoint_url=self.endpoint)

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Every object's content by its name."""
        client = self.client()
        names = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return {name: client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}
