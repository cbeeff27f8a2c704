"""What DynamoDB Local says of a condition expression, and what ours says."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from processor.view.condition.condition import ConditionError, parse
from tests.fakes.patience import PATIENCE_SECONDS
from tests.oracle.draw import Question

_TABLE = "oracle"
_HEADERS = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20240101/eu-west-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20240101T000000Z",
}
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
# The numbers of the items that pass; None if the expression is refused.
Answer = frozenset[str] | None


class Oracle:
    """One table of a DynamoDB Local, by a connection that stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._call("DeleteTable", TableName=_TABLE)
        self._call(
            "CreateTable",
            TableName=_TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def put(self, items: Sequence[dict[str, Any]]) -> list[bytes]:
        """Make these the table's first items, by the keys 0, 1, …; and how the table gives them back."""
        puts = [{"PutRequest": {"Item": {"id": {"S": str(number)}, **item}}} for number, item in enumerate(items)]
        status, answer = self._call("BatchWriteItem", RequestItems={_TABLE: puts})
        assert status == http.client.OK, answer
        assert not answer["UnprocessedItems"]
        _, answer = self._call("Scan", TableName=_TABLE)
        return [json.dumps(item).encode() for item in answer["Items"]]

    def answer(self, question: Question) -> tuple[Answer, str]:
        """The items that it finds, and why it finds none."""
        more: dict[str, Any] = {}
        if question.names:
            more["ExpressionAttributeNames"] = question.names
        if question.values:
            more["ExpressionAttributeValues"] = question.values
        status, answer = self._call("Scan", TableName=_TABLE, FilterExpression=question.text, **more)
        if status == http.client.OK:
            return frozenset(item["id"]["S"] for item in answer["Items"]), ""
        said = answer.get("message") or answer.get("Message") or ""
        assert answer["__type"].endswith("#ValidationException"), (question, answer)
        return None, said

    def _call(self, operation: str, **content: Any) -> tuple[int, dict[str, Any]]:
        headers = {**_HEADERS, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        self._connection.request("POST", "/", body=json.dumps(content), headers=headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


def ours(question: Question, items: Sequence[bytes]) -> tuple[Answer, str]:
    """The same by this project's code."""
    try:
        condition = parse(question.text, question.names, question.values)
    except ConditionError as exc:
        return None, exc.message
    found = set()
    for item in items:
        attributes = _decode(item)
        if condition.matches(attributes):
            found.add(json.loads(bytes(attributes["id"]))["S"])
    return frozenset(found), ""


class Difference(AssertionError):  # noqa: N818  # what it is
    """Both don't say the same."""


def compare(oracle: Oracle, items: Sequence[dict[str, Any]], questions: Sequence[Question]) -> Iterator[Answer]:
    """What both say of each expression.

    :raises Difference: they don't say the same
    """
    stored = oracle.put(items)
    for question in questions:
        (theirs, why), (found, our_why) = oracle.answer(question), ours(question, stored)
        if found != theirs:
            raise Difference(
                f"{question.text!r}, names {question.names}, values {question.values}\n"
                f"  DynamoDB Local: {theirs} {why}\n  ours: {found} {our_why}\n  items: {stored}"
            )
        yield found
