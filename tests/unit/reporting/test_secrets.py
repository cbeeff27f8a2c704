"""Secrets in what libraries, services and the interpreter say."""

from __future__ import annotations

import io
import json
import logging
import string
import sys
import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, ProxyConnectionError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from processor.aws.errors import aws_errors
from processor.cli import main
from processor.errors import UnavailableError
from processor.reporting import logs, secrets
from processor.reporting.console import RedactedStream
from processor.reporting.secrets import hidden

TOKEN = "FwoGZXIvYXdzEHUaDKq+s7/session==token"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.fixture(autouse=True)
def _known() -> None:
    secrets.remember(f"{TOKEN}\n", SECRET, None, "short")


@pytest.mark.parametrize(
    "text",
    [
        f"ValueError: Invalid header value b'{TOKEN}\\n'",
        f"the secret {SECRET} is wrong",
        f"{SECRET}{TOKEN}",
        repr({"token": f"{TOKEN}\n"}),
        f"canonical string 'POST\nhost:x\nx-amz-security-token:{TOKEN[::-1]}\nx-amz-target:y'",
        f"{{'X-Amz-Security-Token': b'{TOKEN[::-1]}'}}",
        f"('X-Amz-Security-Token', '{TOKEN[::-1]}')",
        f"aws_session_token = {TOKEN[::-1]}",
        f"aws_secret_access_key={SECRET[::-1]}",
        f"Failed to parse: https://user:{SECRET[::-1]}@proxy:3128",
    ],
)
def test_a_secret_is_replaced_wherever_it_stands(text: str) -> None:
    """Those that were given out, and what has the form of one."""
    said = hidden(text)
    for secret in (TOKEN, SECRET, TOKEN[::-1], SECRET[::-1]):
        assert secret not in said
    assert "***" in said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:SECRET@proxy:3128", "http://***@proxy:3128"),
        ("https://:SECRET@proxy", "https://***@proxy"),
        ("http://SECRET@proxy/", "http://***@proxy/"),
        ("http://us%40er:SECRET/=+'@SECRET:SECRET@proxy:1 (refused)", "http://***@proxy:1 (refused)"),
        ('{"reason":"http://u:SECRET@h"}', '{"reason":"http://***@h"}'),
        ('"a http://u:SECRET@h\\n"', '"a http://***@h\\n"'),
    ],
)
@pytest.mark.parametrize("secret", ["p", "x" * 5_000, "%40" * 1_000])
def test_the_login_of_a_url_is_hidden(text: str, shown: str, secret: str) -> None:
    """User and password, however long: a proxy's password may be a token."""
    assert hidden(text.replace("SECRET", secret)) == shown


@settings(max_examples=300)
@given(
    user=st.text(string.ascii_letters + string.digits + "%._-", max_size=300),
    password=st.text(string.ascii_letters + string.digits + "%._-:@/+=!$&'()*,;?#[]", min_size=20, max_size=3_000),
    before=st.text(max_size=19),
    after=st.text(max_size=19),
)
def test_no_password_of_a_url_stays(user: str, password: str, before: str, after: str) -> None:
    """Of all characters that a URL may have, wherever it stands."""
    assume(password not in user)
    assert password not in hidden(f"{before} http://{user}:{password}@proxy:3128{after}")


def _cost(text: str) -> float:
    """CPU seconds of this thread: the least of a few, which is what it takes where nothing interferes."""
    costs = []
    for _ in range(5):
        began = time.thread_time()
        hidden(text)
        costs.append(time.thread_time() - began)
    return min(costs)


@pytest.mark.parametrize(
    "each",
    [
        "://",
        "://:",
        "://a:",
        "://a:b ",
        "://@",
        "://a:b@",
        "@",
        "x-amz-security-token",
        "x-amz-security-token ",
        "x-amz-security-token='",
        "secret_access_key ",
        "aws_session_token= ",
        "x-amz-security-token" + " " * 2_000,
    ],
)
@pytest.mark.parametrize("end", ["", "@"])
def test_the_cost_grows_as_the_text(each: str, end: str) -> None:
    """An endpoint may say 256 KB of anything. Eight times the text costs some eight times as much, and not 64 times.

    It shows this for the shapes here, which are those that the patterns' parts could read again and again.
    """
    little, much = (each * (size // len(each)) + end for size in (8 * 1024, 64 * 1024))
    assert _cost(much) < 24 * max(_cost(little), 0.000_1)


@pytest.mark.parametrize(
    "text",
    [
        "The security token included in the request is invalid",
        "GetRecords on https://streams.dynamodb.eu-west-1.amazonaws.com: short",
        "mail me@example.com at 12:00",
        "http://127.0.0.1:8000/ does not answer",
        "http://h:1/ and me@example.com",
        "s3://bucket/prefix",
    ],
)
def test_other_words_stay(text: str) -> None:
    """A message that names no secret is as it was."""
    assert hidden(text) == text


def test_a_line_of_json_stays_one() -> None:
    """Whatever stands before and behind a secret in it."""
    for reason in (f'x-amz-security-token:"{TOKEN}"\n', f"https://u:{SECRET}\\@h", f'"{SECRET}"'):
        line = json.loads(hidden(json.dumps({"reason": reason, "more": "x"})))
        assert SECRET not in line["reason"]
        assert TOKEN not in line["reason"]
        assert line["more"] == "x"


@pytest.fixture
def _logging() -> Iterator[None]:
    """The process's own, put back."""
    root, ours = logging.getLogger(), logging.getLogger("processor")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)


def _fail(*_: object) -> None:
    raise ValueError(f"Invalid header value b'{TOKEN}'")


@pytest.mark.usefixtures("_logging")
@pytest.mark.parametrize("form", [logs.TEXT, logs.JSON])
def test_no_log_line_has_one(form: str) -> None:
    """In a field, or in a trace."""
    stream = io.StringIO()
    logs.configure(stream, form=form)
    try:
        _fail()
    except ValueError:
        logs.Log().error("failed", trace=True, reason=f"it was {SECRET}")
    assert "Invalid header value" in stream.getvalue()
    assert TOKEN not in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_no_message_of_aws_or_its_library_has_one() -> None:
    """What a service repeats of a request, and what a library says of a proxy."""
    told = f"The Canonical String should have been 'POST x-amz-security-token:{TOKEN[::-1]} host:x'"
    error = ClientError({"Error": {"Code": "InvalidSignatureException", "Message": told}}, "PutItem")
    for exc in (
        error,
        ProxyConnectionError(proxy_url=f"http://u:{SECRET}@h", error=f"http://u:{SECRET}@h"),
        OSError(TOKEN),
    ):
        with pytest.raises(UnavailableError) as raised, aws_errors("PutItem"):
            raise exc
        assert not any(secret in str(raised.value) for secret in (TOKEN, TOKEN[::-1], SECRET[::-1]))


def test_a_bug_s_trace_has_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The last resort of every command."""
    monkeypatch.setattr(main, "_dispatch", _fail)
    assert main.main(["check"]) == 5
    said = capsys.readouterr()
    assert "Invalid header value" in said.err
    assert TOKEN not in said.err + said.out


def test_a_stream_is_otherwise_as_it_was() -> None:
    """Whoever has it for standard error finds what that has."""
    stream = io.StringIO()
    redacted = RedactedStream(stream)
    print("a", SECRET, file=redacted)
    assert stream.getvalue() == "a ***\n"
    assert RedactedStream(sys.__stderr__).fileno() == sys.__stderr__.fileno()  # type: ignore[arg-type,union-attr]
