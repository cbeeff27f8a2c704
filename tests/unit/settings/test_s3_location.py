"""Where exported items lie, and which moments a stream covers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from processor.commands.copy.s3.table_export import covers, token_of
from processor.settings.s3_location import s3_location

EXPORT = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/export/01700000000000-0a1b2c3d"
DATA = "AWSDynamoDB/01700000000000-0a1b2c3d/data/"


@pytest.mark.parametrize(
    ("uri", "to_export", "key_prefix"),
    [
        ("s3://exports", {"S3Bucket": "exports"}, DATA),
        ("s3://exports/", {"S3Bucket": "exports"}, DATA),
        ("s3://exports/a/b/", {"S3Bucket": "exports", "S3Prefix": "a/b"}, f"a/b/{DATA}"),
        (
            "s3://exports/a?owner=123456789012",
            {"S3Bucket": "exports", "S3Prefix": "a", "S3BucketOwner": "123456789012"},
            f"a/{DATA}",
        ),
    ],
)
def test_a_place_is_one_for_export_and_import(uri: str, to_export: dict[str, str], key_prefix: str) -> None:
    """The import reads the items of that one export, and none of its manifests."""
    place = s3_location(uri)
    assert to_export == place.to_export
    to_import = place.to_import(EXPORT)
    assert key_prefix == to_import.pop("S3KeyPrefix")
    assert to_import == {name: value for name, value in to_export.items() if name != "S3Prefix"}


@pytest.mark.parametrize(
    "uri",
    [
        "exports/a",
        "file:///tmp/x",
        "s3://",
        "s3://UPPER/a",
        "s3://exports//a",
        "s3://exports/a b",
        "s3://exports/a?owner=me",
        "s3://exports/a?other=1",
        f"s3://exports/{500 * 'a'}x",
    ],
)
def test_other_words_are_no_place(uri: str) -> None:
    """What names no place in a bucket is refused with an example."""
    with pytest.raises(ValueError, match=r"s3://bucket/prefix"):
        s3_location(uri)


def test_a_stream_covers_what_comes_after_its_beginning() -> None:
    """An export as of a moment before its stream, or of no known moment, would lose changes."""
    stream = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-02T03:04:05.678"
    began = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc)
    assert covers(stream, began)
    assert covers(stream, began.astimezone(timezone(timedelta(hours=2))))
    assert not covers(stream, began - timedelta(milliseconds=1))
    assert not covers(stream, None)


def test_a_token_is_its_requests() -> None:
    """The same request of the same copy has the same token, of a length that AWS takes; any other has another."""
    assert token_of("copy", "a") == token_of("copy", "a")
    assert len({token_of("copy", "a"), token_of("copy", "b"), token_of("copya", ""), token_of("copy", "a", "")}) == 4
    assert len(token_of("copy", "a")) == 36
