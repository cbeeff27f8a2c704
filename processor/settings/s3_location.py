"""Where exported items are: ``s3://bucket/prefix``, with ``?owner=`` if the bucket is another account's. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

# Names of buckets, and of objects without a character that needs care (S3 user guide, naming). DynamoDB's own names, of
# some 90 characters, follow.
_PLACE = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])"
    r"(?P<prefix>(/[a-zA-Z0-9!_.*'()=-]+)*)/?"
    r"(\?owner=(?P<owner>\d{12}))?"
)
_MOST_CHARACTERS = 512


class S3Location(msgspec.Struct, frozen=True, kw_only=True):
    """``prefix`` has no slash at its ends; ``owner`` is the bucket's account, empty if it isn't known."""

    bucket: str
    prefix: str = ""
    owner: str = ""

    @property
    def uri(self) -> str:
        """For people."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def shown(self) -> str:
        """For people, with the account that must own it."""
        return f"{self.uri}, a bucket of account {self.owner}" if self.owner else self.uri

    def owned(self, account: str) -> S3Location:
        """The same with this account as owner, if the user has named none."""
        return self if self.owner else msgspec.structs.replace(self, owner=account)

    @property
    def to_export(self) -> dict[str, Any]:
        """Its part of ExportTableToPointInTime's arguments."""
        given = {"S3Bucket": self.bucket, "S3Prefix": self.prefix, "S3BucketOwner": self.owner}
        return {name: value for name, value in given.items() if value}

    def to_import(self, export_arn: str) -> dict[str, Any]:
        """ImportTable's ``S3BucketSource``: only the items of one export, not the manifests beside them.

        ``AWSDynamoDB/<the export's id>/data/`` is DynamoDB's own (developer guide, format of exported tables).
        """
        parts = [self.prefix, "AWSDynamoDB", export_arn.rpartition("/")[2], "data", ""]
        given = {
            "S3Bucket": self.bucket,
            "S3KeyPrefix": "/".join(parts).lstrip("/"),
            "S3BucketOwner": self.owner,
        }
        return {name: value for name, value in given.items() if value}


def s3_location(uri: str) -> S3Location:
    """Parse the location that a user names.

    :raises ValueError: it is not a location
    """
    found = _PLACE.fullmatch(uri)
    if found is None or len(uri) > _MOST_CHARACTERS:
        message = (
            f"'{uri}' is not a place in a bucket such as s3://bucket/prefix or s3://bucket/prefix?owner=123456789012"
        )
        raise ValueError(message)
    return S3Location(bucket=found["bucket"], prefix=found["prefix"].strip("/"), owner=found["owner"] or "")
