"""The limits in docs/threat-model.md are those of the code, of both halves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from processor.aws import bounds, http_answer, metadata, webhook
from processor.startup import java

KB, MB = 1024, 1024 * 1024
WORDS = " ".join((java.ROOT / "docs" / "threat-model.md").read_text().split())
_DIGITS = {8: "eight"}


def _java() -> dict[str, int]:
    """The numbers of the JVM's half, by name."""
    text = (java.ROOT / "daemon" / "src" / "main" / "java" / "replicator" / "aws" / "AnswerBounds.java").read_text()
    found: dict[str, int] = {"KIB": KB}
    for name, value in re.findall(r"int (\w+) = ([\w *]+);", text):
        product = 1
        for factor in value.split("*"):
            number = factor.strip().replace("_", "")
            product *= int(number) if number.isdecimal() else found[number]
        found[name] = product
    (seconds,) = re.findall(r"TIME = Duration\.ofSeconds\((\d+)\)", text)
    return found | {"SECONDS": int(seconds)}


def _limits() -> Iterator[str]:
    most = bounds.most_bytes
    yield f"| one item (`GetItem`, `PutItem`, `DeleteItem`) | 400 KB | {most('dynamodb', 'PutItem', 0) // MB} MB |"
    yield f"| six times that, and {most('dynamodb', 'BatchWriteItem', 0) // KB} KB |"
    assert most("dynamodb", "BatchWriteItem", 10) - most("dynamodb", "BatchWriteItem", 0) == 60
    for asked in ("Scan", "Query", "GetRecords"):
        yield f"`Scan`, `Query`, `GetRecords` | 1 MB of items | {most('dynamodb', asked, 0) // MB} MB |"
    yield f"| `BatchGetItem` | 16 MB of items | {most('dynamodb', 'BatchGetItem', 0) // MB} MB;"
    yield f"| some 100 KB | {most('dynamodb', 'DescribeTable', 0) // MB} MB |"
    for service in ("sts", "cloudwatch"):
        yield f"| S3; STS and CloudWatch | | {most('s3', '', 0) // MB} MB; {most(service, '', 0) // KB} KB |"
    yield f"| SNS; what `notifyUri`'s URL answers | | {most('sns', '', 0) // KB} KB; {webhook._MOST_BYTES // KB} KB |"
    yield f"| an instance's or container's metadata | | {metadata._MOST_BYTES // KB} KB |"
    yield f"may have {bounds._MOST_PARSED_BYTES // MB} MB and {bounds._MOST_MARKS:,} values"
    yield f"may have {http_answer.MAX_HEAD_BYTES // KB} KB and {http_answer._MAX_HEADERS} headers"
    more = f"{bounds._ROOM_BYTES_PER_CONNECTION // MB} MB more for each connection above {bounds._USUAL_CONNECTIONS} "
    yield f"share {bounds._ROOM_BYTES // MB} MB ({more}"
    its = _java()
    yield f"| `GetRecords` | {its['PAGE_BYTES'] // MB} MB, {its['RECORDS']:,} records;"
    yield f"| `Scan`, `Query`, `DescribeStream` | {its['LISTING_BYTES'] // MB} MB |"
    yield f"| anything else, of STS and CloudWatch too | {its['OTHER_BYTES'] // MB} MB |"
    yield f"| any of these that ends in an error | {its['ERROR_BYTES'] // KB} KB |"
    yield f"within {its['SECONDS']} s"
    yield f"{its['NESTING']} levels of nesting, numbers of {its['NUMBER_CHARACTERS']} digits"
    yield f"{its['HEAD_LINES']} headers of {its['HEAD_LINE_BYTES'] // KB} KB"
    yield f"and {_DIGITS[its['INTERIM_ANSWERS']]} interim answers"


@pytest.mark.parametrize("limit", list(_limits()))
def test_a_limit_is_said_as_it_is(limit: str) -> None:
    """Whoever changes one changes the page."""
    assert limit in WORDS
