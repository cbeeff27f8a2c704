"""S3 as moto's server has it, and what a test wants to see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from tests.fakes.aws.moto_server import MotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"


class MotoS3(MotoServer):
    """A server of its own, in its context; clients find it by ``environment``."""

    def __init__(self) -> None:
        super().__init__("S3")

    def client(self) -> S3Client:
        """A client of its own."""
        return boto3.client("s3", region_name=REGION, endpoint_url=self.endpoint)

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Every object's content by its name."""
        client = self.client()
        names = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return {name: client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}
