"""What DynamoDB Local says of items that it refuses is known, and so is shown; nothing of the item is in it."""

from __future__ import annotations

from typing import Any

import pytest

from processor.aws.redaction import WITHHELD
from processor.aws.timeouts import WriteTimeouts
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.errors import RefusedError, UnavailableError
from processor.replication.writer import WritableTable
from tests.conftest import REGION, Tables
from tests.fakes.dynamodb.changes import decode
from tests.fakes.patience import PATIENCE_SECONDS
from tests.fakes.streams.stream_record import insert

MARK = "marked"
DEEP: dict[str, Any] = {"S": MARK}
for _ in range(40):
    DEEP = {"L": [DEEP]}
KEY = {"id": {"S": "a"}}
REFUSED: dict[str, dict[str, Any]] = {
    "another type of an index's key": KEY | {"group": {"N": "1"}},
    "an index's key that is empty": KEY | {"group": {"S": ""}},
    "too large": KEY | {"text": {"S": MARK * 80_000}},
    "too deep": KEY | {"text": DEEP},
    "a set with the same twice": KEY | {"text": {"SS": [MARK, MARK]}},
    "no number": KEY | {"text": {"N": MARK}},
    "too many digits": KEY | {"text": {"N": "1" * 39}},
    "too large a number": KEY | {"text": {"N": "1e200"}},
    "an empty set": KEY | {"text": {"SS": []}},
    "another type of the key": {"id": {"N": "1"}},
    "an empty key": {"id": {"S": ""}},
    "a key that is too long": {"id": {"S": MARK * 400}},
    "two types": KEY | {"text": {"S": MARK, "N": "1"}},
    "no type": KEY | {"text": {}},
}


@pytest.fixture(scope="module")
def table(tables: Tables) -> str:
    """With an index, whose key an item need not have."""
    name = tables.name()
    names = [{"AttributeName": each, "AttributeType": "S"} for each in ("id", "group")]
    index = {
        "IndexName": "groups",
        "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    tables.call(
        "CreateTable",
        TableName=name,
        AttributeDefinitions=names,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index],
    )
    return name


@pytest.mark.parametrize("item", REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_shown(item: dict[str, Any], table: str, dynamodb: DynamoDBLocal) -> None:
    """Of one item, and of a batch with it."""
    timeouts = WriteTimeouts(connect=PATIENCE_SECONDS, read=PATIENCE_SECONDS)
    made = WritableTable(table, region=REGION, endpoint=dynamodb.endpoint, connections=1, timeouts=timeouts)
    change = decode(insert(1, item).data)
    for write in (lambda: made.write_one(change), lambda: made.write_batch([change])):
        with pytest.raises(RefusedError) as caught:
            write()
        assert WITHHELD not in str(caught.value)
        assert MARK not in str(caught.value)


def test_a_table_that_is_not_there(dynamodb: DynamoDBLocal) -> None:
    """Nor is that withheld."""
    timeouts = WriteTimeouts(connect=PATIENCE_SECONDS, read=PATIENCE_SECONDS)
    made = WritableTable("none", region=REGION, endpoint=dynamodb.endpoint, connections=1, timeouts=timeouts)
    with pytest.raises(UnavailableError, match="Cannot do operations on a non-existent table"):
        made.write_one(decode(insert(1, KEY).data))
