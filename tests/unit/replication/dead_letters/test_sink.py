"""Changes that are set aside: what a letter says, and where it is kept."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from processor.errors import DeadLetterError, RefusedError
from processor.replication.change import Change
from processor.replication.dead_letters import stores
from processor.replication.dead_letters.file_store import LetterFile
from processor.replication.dead_letters.s3_store import LetterBucket
from processor.replication.dead_letters.sink import DeadLetters
from tests.fakes.dynamodb.changes import delete, put
from tests.fakes.task.tasks import task

ERROR = RefusedError("PutItem: refused", code="ValidationException")


def _letters(path: Path) -> DeadLetters:
    return DeadLetters(LetterFile(path), task_name="t", table="copy", region="us-east-1", shard_id="shard-1")


def test_a_letter_has_all_that_is_needed_to_apply_it_again(tmp_path: Path) -> None:
    """A line holds the change as it came, what refused it and why, and when."""
    path = tmp_path / "new" / "letters.jsonl"
    _letters(path).add(put("a", "é", number=5), ERROR)
    _letters(path).add(delete("b"), ERROR)
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "taskName": "t",
        "table": "copy",
        "region": "us-east-1",
        "shardId": "shard-1",
        "sequenceNumber": "100000000000000000005",
        "eventName": "MODIFY",
        "error": "ValidationException",
        "reason": "PutItem: refused",
        "key": {"id": {"S": "a"}},
        "newImage": {"id": {"S": "a"}, "value": {"S": "é"}},
    }
    assert (second["eventName"], second["key"], second["newImage"]) == ("REMOVE", {"id": {"S": "b"}}, None)


@pytest.mark.parametrize("change", [put("a", "secret"), delete("a")])
def test_a_letter_that_cannot_be_written_is_an_error(tmp_path: Path, change: Change) -> None:
    """Where the file can't be written the change is kept: the error says so, and shows nothing of the item."""
    with pytest.raises(DeadLetterError, match="sequence number 100000000000000000001") as caught:
        _letters(tmp_path).add(change, ERROR)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "kind", "place"),
    [
        ("file:///a/letters%20here.jsonl", LetterFile, "/a/letters here.jsonl"),
        ("s3://bucket", LetterBucket, "s3://bucket/orders/"),
        ("s3://bucket/", LetterBucket, "s3://bucket/orders/"),
        ("s3://bucket/of/ours/", LetterBucket, "s3://bucket/of/ours/orders/"),
    ],
)
def test_the_uri_says_where_they_are(uri: str, kind: type, place: str) -> None:
    """The URI names a file, or a place in a bucket, in which each task has a folder of its own."""
    store = stores.of_letters(task(deadLetterUri=uri, taskName="orders"))
    assert isinstance(store, kind)
    assert place == store.place


def test_without_a_uri_there_are_none() -> None:
    """Dead letters have no place by default."""
    assert stores.of_letters(task()) is None


@pytest.mark.parametrize("masked", [False, True])
def test_a_letter_holds_the_sources_item(tmp_path: Path, *, masked: bool) -> None:
    """Whatever the settings make of it; with deadLetterMasked what would have been written, if anything could be."""
    path = tmp_path / "letters.jsonl"
    letters = DeadLetters(
        LetterFile(path), task_name="t", table="copy", region="us-east-1", shard_id="shard-1", masked=masked
    )
    source, seen = put("a", "Ada"), put("a", "hash").image
    letters.add(msgspec.structs.replace(source, image=seen, source_item=source.image), ERROR)
    letters.add(msgspec.structs.replace(source, image=None, source_item=source.image), ERROR)
    images = [json.loads(line)["newImage"] for line in path.read_text().splitlines()]
    values = [image and image["value"]["S"] for image in images]
    assert values == (["hash", None] if masked else ["Ada", "Ada"])
