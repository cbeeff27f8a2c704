"""Checks that answers can be AWS's: its library takes many others for an empty answer, or fails on them."""

from __future__ import annotations

import contextlib
from binascii import crc32
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec
from botocore.exceptions import ChecksumError, ClientError
from botocore.parsers import JSONParser, ResponseParserFactory

from processor.aws.bounds import InvalidAnswerError, check_parsed, shown
from processor.aws.errors import NotDynamoDBError, not_aws
from processor.aws.http_answer import Answer
from processor.aws.redaction import content_type
from processor.aws.response_shapes import NO_ANSWER, faults
from processor.flow import shapes

# DynamoDB's checksum of an answer's body; botocore checks it only in its retries.
_CHECKSUM = "x-amz-crc32"
_NULL = b"null"
_members_decoder = shapes.decoder(dict[str, msgspec.Raw])


# An error whose body is not a JSON object is a proxy's page, or an old server's few words.
_MOST_UNKNOWN_BYTES = 64 * 1024
# Limit for an error's message: far more than is ever shown. An exception may keep it for as long as an outage.
_MOST_KEPT_CHARACTERS = 4096
# JSON's longest way to write one character: a surrogate pair, two escapes of six bytes each.
_LONGEST_ESCAPE = 12


class _ErrorBody(msgspec.Struct, frozen=True):
    """The members of an error that botocore reads. All others are skipped, whatever they are and however many."""

    kind: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="__type")
    message: msgspec.Raw = msgspec.Raw()
    capital: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="Message")
    item: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="Item")

    def named(self) -> Iterator[tuple[str, msgspec.Raw]]:
        """The members by the names that botocore knows."""
        yield from (("__type", self.kind), ("message", self.message), ("Message", self.capital))


_error_decoder = shapes.decoder(_ErrorBody)


class _CheckedParser:
    """One of botocore's parsers."""

    def __init__(self, parser: Any, protocol: str) -> None:
        self._parser = parser
        self._protocol = protocol
        self._is_json = protocol == "json"
        self._is_checked = protocol in {"json", "query"}  # DynamoDB and STS
        self._whose = "DynamoDB's" if self._is_json else "AWS's"

    def parse(self, response: dict[str, Any], shape: Any) -> dict[str, Any]:
        good = response["status_code"] < HTTPStatus.MULTIPLE_CHOICES
        body = response["body"]
        try:
            if isinstance(body, bytes):  # a streamed body is not parsed
                check_parsed(body, self._protocol)
        except InvalidAnswerError as exc:
            raise not_aws(self._whose, exc) from exc
        try:
            if self._is_json and good:
                _members_decoder.decode(response["body"])
            parsed: dict[str, Any] = self._parser.parse(response, shape)
            error = parsed.get("Error", {})
            hash(error.get("Code"))  # botocore would fail later on a code that can't be hashed
            error.update(
                {name: words[:_MOST_KEPT_CHARACTERS] for name, words in error.items() if isinstance(words, str)}
            )
            is_checked = self._is_checked and good and shape is not None
            wrong = next(faults(parsed, shape), None) if is_checked else None
        except Exception as exc:
            kind = content_type(response["headers"].get("content-type", "none"))
            fault = f"status {response['status_code']}, content type {kind}: {type(exc).__name__}"
            raise NotDynamoDBError(whose=self._whose, fault=fault) from exc
        if wrong is not None:
            raise NotDynamoDBError(whose=self._whose, fault=wrong)
        return parsed


class CheckedParsers(ResponseParserFactory):
    """A session's parsers."""

    def create_parser(self, protocol_name: str) -> Any:
        """Called by botocore for each client."""
        return _CheckedParser(super().create_parser(protocol_name), protocol_name)


_error_parser = _CheckedParser(JSONParser(), "json")


def checked(operation: str, answer: Answer) -> bytes:
    """The body of an answer of the JSON protocol, if it is AWS's and a success.

    :returns: JSON presumably; decoding it shows whether it is
    :raises NotDynamoDBError, ChecksumError: it is not AWS's, or was changed on its way
    :raises ClientError: it is an error
    """
    status, headers, body = answer
    expected = headers.get(_CHECKSUM)
    if expected is not None and expected != str(crc32(body)):
        raise ChecksumError(checksum_type="crc32", expected_checksum="another", actual_checksum=str(crc32(body)))
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise ClientError(_error(answer), operation)  # type: ignore[arg-type]
    kind = headers.get("content-type", "json")
    if "json" not in kind:
        raise NotDynamoDBError(whose="DynamoDB's", fault=f"content type {content_type(kind)}")
    return body


def _error(answer: Answer) -> dict[str, Any]:
    """The error as botocore parses it; with ``Item`` if it has the item for which a condition did not hold."""
    body, item = answer.body, b""
    try:
        found = _error_decoder.decode(body)
        if len(body) > _MOST_UNKNOWN_BYTES:
            body = msgspec.json.encode({name: _short(value) for name, value in found.named() if bytes(value)})
        item = bytes(found.item)
    except NO_ANSWER as exc:  # the error may come from a proxy
        if len(body) > _MOST_UNKNOWN_BYTES:
            fault = f"status {answer.status}, and no error of AWS's in {shown(len(body))}"
            raise NotDynamoDBError(whose="DynamoDB's", fault=fault) from exc
    parsed = _error_parser.parse({"status_code": answer.status, "headers": answer.headers, "body": body}, None)
    return parsed if item in (b"", _NULL) else {**parsed, "Item": item}


def _short(text: msgspec.Raw) -> str:
    """A JSON text, cut to what is kept of an error.

    :raises DecodeError: it is not a text
    """
    begin = bytes(text)[:_MOST_KEPT_CHARACTERS]
    if len(begin) < _MOST_KEPT_CHARACTERS:
        return shapes.decode(begin, str)
    for cut in range(_LONGEST_ESCAPE):  # until the cut is not in the middle of a character
        with contextlib.suppress(*NO_ANSWER):
            return shapes.decode(begin[: len(begin) - cut] + b'"', str)
    raise msgspec.DecodeError
