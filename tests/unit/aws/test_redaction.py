"""What a server says of an item, without the item."""

from __future__ import annotations

import base64
import json
import time
import traceback
import urllib.parse
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from processor.aws import s3
from processor.aws.errors import DENIALS, KINDS, REFUSALS, REJECTED_CREDENTIALS, STALE_CREDENTIALS
from processor.aws.harmless_words import BEGINS, CODES, MESSAGES
from processor.aws.redaction import HIDDEN, UNKNOWN_CODE, WITHHELD, HarmlessWords, content_type
from processor.aws.sessions import session
from processor.aws.timeouts import WriteTimeouts
from processor.dynamodb.reader import ReadableTable
from processor.errors import RefusedError, UnavailableError
from processor.replication.change import Change
from processor.replication.fenced_writer import FencedTable
from processor.replication.writer import WritableTable
from processor.state import copy_rows, holds
from processor.state.copy_rows import CopyState, SegmentState
from processor.state.holds import Hold
from tests.fakes.dynamodb.changes import decode
from tests.fakes.network.http_server import HttpServer
from tests.fakes.streams.stream_record import insert

ITEM = {
    "id": {"S": "customer 7"},
    "age": {"N": "42.50"},
    "photo": {"B": "aGVsbG8="},
    "tags": {"SS": ["red", "vermilion"]},
    "deep": {"M": {"street": {"L": [{"S": "Elm\u2028\u00c4\u00e9 street"}, {"NS": ["1e5", "99"]}]}}},
}
WORDS = HarmlessWords(("copy", "id"))
PLACE = "One or more parameter values were invalid: "
DENIED = "is not authorized to perform: dynamodb:PutItem on resource:"
BECAUSE = "because no identity-based policy allows the dynamodb:PutItem action"
# How a server may repeat a text.
REPEATED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "as JSON": json.dumps,
    "as Python": repr,
    "escaped": lambda text: text.encode("unicode_escape").decode(),
    "in a URL": urllib.parse.quote,
    "in base64": lambda text: base64.b64encode(text.encode("utf-8", "surrogatepass")).decode(),
    "in capitals": str.upper,
    "cut": lambda text: text[: max(4, len(text) // 2)],
    "its end": lambda text: text[-max(4, len(text) // 2) :],
    "backwards": lambda text: text[::-1],
}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The conditional request failed", "The conditional request failed"),
        (
            "The parameter cannot be converted to a numeric value: customer 7",
            "The parameter cannot be converted to a numeric value: ***",
        ),
        (
            PLACE + "Input collection [red, red] contains duplicates.",
            PLACE + "Input collection *** contains duplicates.",
        ),
        (
            PLACE + "Type mismatch for key id expected: S actual: N",
            PLACE + "Type mismatch for key id expected: S actual: N",
        ),
        (
            PLACE + "Type mismatch for Index Key age Expected: S Actual: N IndexName: by-age",
            PLACE + "Type mismatch for Index Key *** Expected: S Actual: N IndexName: ***",
        ),
        (
            PLACE + "Type mismatch for key id expected: S actual: customer",
            WITHHELD,
        ),
        (f"User: arn:aws:iam::1:user/me {DENIED} arn:aws:x {BECAUSE}", f"User: *** {DENIED} *** {BECAUSE}"),
        ("Requested resource not found: Table: copy not found", "Requested resource not found: Table: copy not found"),
        ("The conditional request failed for customer 7", WITHHELD),
        ("The conditional request failed\n", WITHHELD),
        ("", WITHHELD),
        ("no reason given", "no reason given"),
        ("a" * 5_000_000, WITHHELD),
        (
            "The parameter cannot be converted to a numeric value: " + "7" * 1_400,
            "The parameter cannot be converted to a numeric value: ***",
        ),
        ("The parameter cannot be converted to a numeric value: " + "7" * 1_500, WITHHELD),  # longer than any of AWS's
    ],
)
def test_only_harmless_words_are_shown(said: str, shown: str) -> None:
    """AWS's own words stay; in their places what is known otherwise; all else is withheld."""
    assert WORDS.message(said) == shown


@st.composite
def _told(draw: st.DrawFn) -> tuple[str, str]:
    """What stands in an item, and an endpoint's words with that in some form."""
    value = draw(st.text(min_size=6, max_size=60))
    form = REPEATED[draw(st.sampled_from(list(REPEATED)))](value)
    message = draw(st.sampled_from(MESSAGES))
    for place in ("{}", "{name}", "{type}", "{kind}", "{call}"):
        while place in message:
            message = message.replace(place, draw(st.sampled_from([form, "S", "string", "dynamodb:PutItem", "id"])), 1)
    message = draw(st.sampled_from(["", *BEGINS])) + message
    before, after = draw(
        st.sampled_from([("", ""), ("", "."), (form, ""), ("", form), (": ", " "), (draw(st.text()), "")])
    )
    return form, draw(st.sampled_from([before + message + after, before + form + after]))


@settings(max_examples=1000, deadline=None)
@given(told=_told())
def test_nothing_of_an_item_is_shown_in_any_form(told: tuple[str, str]) -> None:
    """Escaped, normalised, cut, a value or a name, anywhere in AWS's words or alone: it is not in what is shown."""
    form, said = told
    assume(not any(form in harmless for harmless in (*MESSAGES, *BEGINS, WITHHELD, "id", HIDDEN, "dynamodb:PutItem")))
    assert form not in WORDS.message(said)


@given(code=st.text(max_size=40), status=st.integers(100, 999))
def test_a_code_is_one_of_aws_codes(code: str, status: int) -> None:
    """A server may put anything into its code; metrics are counted by it."""
    assert WORDS.code(code, status) in CODES | {UNKNOWN_CODE, str(status), f"HTTP {status}"}


def test_codes_that_decide_are_known() -> None:
    """Whatever is done differently for a code is done with it."""
    codes = REFUSALS | REJECTED_CREDENTIALS | STALE_CREDENTIALS | DENIALS | KINDS.keys()
    codes |= s3.NO_BUCKET | s3.CHANGED | s3.FORBIDDEN | s3.UNSUPPORTED | {"ConditionalCheckFailedException"}
    assert {code for code in codes - CODES if not code.isdecimal()} == set()


def test_a_long_text_costs_nothing() -> None:
    """Once, 105 KB of words took 36 s: each value of an item was looked for in them."""
    began = time.process_time()
    for text in ("User: " * 17_500, "Signature expired: " * 5_000, "Input collection " * 80, "x" * 105_000):
        assert WORDS.message(text) == WITHHELD
    assert time.process_time() - began < 2


def test_kinds_of_content_are_the_usual_ones() -> None:
    """A server may put anything there, too."""
    assert [content_type(each) for each in ("text/HTML; charset=utf-8", "customer 7")] == ["text/html", "unknown"]


def _table(server: HttpServer, kind: type[WritableTable], **more: Any) -> WritableTable:
    timeouts = WriteTimeouts.within(60.0)  # of a busy machine, too
    return kind(
        "copy",
        region="us-east-1",
        endpoint=server.endpoint,
        connections=1,
        timeouts=timeouts,
        make_session=session,
        **more,
    )


def _leaks(text: str) -> list[str]:
    values = ("customer", "42.5", "aGVsbG8", "red", "vermilion", "Elm", "street", "1e5", "age", "photo", "tags", "deep")
    return [word for word in values if word.lower() in text.lower().replace("withheld", "")]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize(("code", "error"), [("ValidationException", RefusedError), ("customer 7", UnavailableError)])
@pytest.mark.parametrize("kind", [WritableTable, FencedTable])
@pytest.mark.parametrize("form", REPEATED)
def test_no_error_of_a_write_holds_what_was_to_be_written(
    form: str, kind: type[WritableTable], code: str, error: type[Exception]
) -> None:
    """Whatever the destination answers to a write, and in every mode, nothing of the item is repeated, nor traced."""
    change: Change = decode(insert(1, ITEM).data)
    words = " ".join(REPEATED[form](word) for word in ("customer 7", "42.50", "photo", "Elm\u2028\u00c4\u00e9 street"))
    said = {"__type": f"x#{code}", "message": words}
    with HttpServer() as server:
        server.answers.extend([(400, said)] * 2)
        table = _table(server, kind, **({"attribute": "f", "source": None} if kind is FencedTable else {}))
        for write in (lambda: table.write_one(change), lambda: table.write_batch([change])):
            with pytest.raises(error) as raised:
                write()
            assert WITHHELD in str(raised.value)
            assert raised.value.code in CODES | {UNKNOWN_CODE}  # type: ignore[attr-defined]
            causes = "".join(traceback.format_exception_only(raised.value.__cause__))
            assert not _leaks(f"{raised.value} {causes}")


@pytest.mark.parametrize("headers", [{"Content-Type": "customer 7"}, {"x-amz-crc32": "customer 7"}])
@pytest.mark.parametrize("calls_before", [0, 1])
def test_no_header_is_repeated(headers: dict[str, str], calls_before: int) -> None:
    """What an answer's headers say is a server's word, too."""
    change: Change = decode(insert(1, ITEM).data)
    with HttpServer() as server:
        table = _table(server, WritableTable)
        for _ in range(calls_before):
            table.write_batch([change])
        server.headers = headers
        for status in (200, 400):
            server.status = status
            with pytest.raises(UnavailableError) as raised:
                table.write_batch([change])
            assert not _leaks(str(raised.value))


HOLD = Hold(kind="hold", shard_id="s", since_ms=1, seen_ms=1, reason="at customer 7")
COPY = CopyState(id="1", segments=1, started_ms=1, stream_arn="arn", concurrent=True)
SEGMENT = SegmentState(number=0, start=msgspec.Raw(b'{"id":{"S":"customer 7"}}'))
ROWS: dict[str, Callable[[Any], None]] = {
    "PutItem of a hold": lambda client: holds.put(client, "t", HOLD),
    "PutItem of a segment": lambda client: copy_rows.save(client, "t", COPY, SEGMENT),
}


@pytest.mark.parametrize("write", ROWS.values(), ids=ROWS)
def test_no_error_of_a_row_of_the_task_table_holds_a_key(write: Callable[[Any], None]) -> None:
    """Rows that say where a shard or a copy stands name a key of an item."""
    from processor.aws.clients import Clients  # of this test alone
    from tests.fakes.task.tasks import task

    with HttpServer() as server:
        client = Clients(task(kclEndpoint=server.endpoint)).checkpoints()

        def refuse() -> None:
            if server.requests[-1].operation == "PutItem":
                server.answers.append((400, {"__type": "x#ValidationException", "message": "no: customer 7"}))

        server.before_answer = refuse
        with pytest.raises(RefusedError) as raised:
            write(client)
    assert str(raised.value).endswith(f"ValidationException: {WITHHELD}")


def test_no_error_of_a_read_by_keys_holds_them() -> None:
    """A key is a part of an item."""
    from processor.aws.clients import Clients  # of this test alone
    from tests.fakes.task.tasks import task

    with HttpServer() as server:
        server.answers.append((400, {"__type": "x#ValidationException", "message": "no: customer 7"}))
        table = ReadableTable("orders", region="r", connect=Clients(task(sourceEndpoint=server.endpoint)).source)
        with pytest.raises(RefusedError) as raised:
            table.get(msgspec.Raw(b'{"id":{"S":"customer 7"}}'))
    assert str(raised.value).endswith(f"ValidationException: {WITHHELD}")
