"""What a server says of an item, without the item."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processor.aws.sessions import session
from processor.errors import RefusedError, UnavailableError
from processor.fenced_table import FencedTable
from processor.lease_term import WriteTimeouts
from processor.records import Change
from processor.redaction import without_values
from processor.writable_table import WritableTable
from tests.fakes.changes import decode
from tests.fakes.http_server import HttpServer
from tests.fakes.stream_record import insert

ITEM = {
    "id": {"S": "customer 7"},
    "age": {"N": "42"},
    "photo": {"B": "aGVsbG8="},
    "tags": {"SS": ["red", "S"]},
    "deep": {"M": {"list": {"L": [{"S": "street"}, {"NS": ["1", "99"]}]}}},
    "empty": {"S": ""},
    "no": {"NULL": True},
}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("cannot be converted to a numeric value: customer 7", "cannot be converted to a numeric value: ***"),
        ("Input collection [red, red] contains duplicates.", "Input collection [***, ***] contains duplicates."),
        ('{"photo":{"B":"aGVsbG8="},"n":99}', '{"photo":{"B":"***"},"n":***}'),
        ("the street is 1 of 142 streets", "the *** is *** of 142 streets"),
        ("Type mismatch for key age expected: S actual: N", "Type mismatch for key age expected: S actual: N"),
        ("The conditional request failed", "The conditional request failed"),
    ],
)
def test_values_are_hidden(said: str, shown: str) -> None:
    """Each value of the item, at any depth, is out of the words; names, types and all other words stay."""
    assert shown == without_values(said, [json.dumps(ITEM).encode()])


@pytest.mark.parametrize("item", [b"", b"[]", b"{", b'{"a":' * 5000, b'{"a":"\xed"}'])
def test_what_is_no_item_hides_nothing(item: bytes) -> None:
    """Bytes that are no item have no values."""
    assert without_values("all of it", [item]) == "all of it"


def _table(server: HttpServer, kind: type[WritableTable], **more: Any) -> WritableTable:
    timeouts = WriteTimeouts.within(5.0)
    return kind(
        "copy",
        region="us-east-1",
        endpoint=server.endpoint,
        connections=1,
        timeouts=timeouts,
        make_session=session,
        **more,
    )


@pytest.mark.parametrize(("code", "error"), [("ValidationException", RefusedError), ("Odd", UnavailableError)])
@pytest.mark.parametrize("kind", [WritableTable, FencedTable])
def test_no_error_of_a_write_holds_what_was_to_be_written(
    kind: type[WritableTable], code: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the destination answers to a write, and in every mode, its values are not repeated."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    change: Change = decode(insert(1, ITEM).data)
    said = {"__type": f"x#{code}", "message": f"no: {json.dumps(ITEM)}"}
    with HttpServer() as server:
        server.answers.extend([(400, said)] * 2)
        table = _table(server, kind, **({"attribute": "f", "source": None} if kind is FencedTable else {}))
        for write in (lambda: table.write_one(change), lambda: table.write_batch([change])):
            with pytest.raises(error) as raised:
                write()
            assert '"S": "***"' in str(raised.value)
            assert not [word for word in ("customer", "street", "42", "aGVsbG8") if word in str(raised.value)]
