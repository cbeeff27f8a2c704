"""What an answer must be."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from processor.aws import response_shapes
from processor.aws.response_shapes import brief, faults

LOADED = botocore.session.get_session()
MODELS = [LOADED.get_service_model(service) for service in ("dynamodb", "dynamodbstreams", "sts")]
TABLE = {
    "TableName": "t",
    "TableStatus": "ACTIVE",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


def _shape(name: str) -> Any:
    return next(model.shape_for(name) for model in MODELS if name in model.shape_names)


@pytest.mark.parametrize("name", response_shapes._NEEDED)
def test_what_is_needed_is_there_to_be_given(name: str) -> None:
    """Each structure and member that we insist on is one of the API's."""
    assert response_shapes._NEEDED[name] <= _shape(name).members.keys()


@pytest.mark.parametrize(
    ("name", "answer", "fault"),
    [
        ("DescribeTableOutput", {"Table": TABLE}, None),
        ("DescribeTableOutput", {}, "the answer has no Table"),
        ("DescribeTableOutput", {"Table": TABLE | {"KeySchema": []}}, "Table has a key without a definition"),
        ("DescribeTableOutput", {"Table": TABLE | {"ItemCount": "many"}}, "ItemCount is no long"),
        ("DescribeTableOutput", {"Table": {"TableName": "t", "TableStatus": "DELETING"}}, None),
        (
            "DescribeTableOutput",
            {"Table": TABLE | {"StreamSpecification": {"StreamEnabled": True}}},
            "Table has a stream without an ARN",
        ),
        ("ScanOutput", {"Items": [{"id": {"S": 5}}]}, "S is no string"),
        ("ScanOutput", {"Items": [{"id": {"BOOL": 1}}]}, "BOOL is no boolean"),
        ("ScanOutput", {"Items": [{"id": {"S": "a"}}], "Count": 2}, "the answer lacks some of its Items"),
        ("ScanOutput", {"Items": [{"id": {"S": "a"}}], "Count": 1}, None),
        ("ScanOutput", {"Items": []}, None),  # a store that is not AWS's may leave it out
        ("DescribeTimeToLiveOutput", {}, "the answer has no TimeToLiveDescription"),  # it would look as if TTL were off
        ("DescribeTimeToLiveOutput", {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}, None),
        ("PutItemOutput", {}, None),
        ("AssumeRoleResponse", {"Credentials": {"AccessKeyId": "a"}}, "Credentials has no Expiration"),
    ],
)
def test_the_first_fault(name: str, answer: dict[str, Any], fault: str | None) -> None:
    """A fault is named by its place, and none of the answer's values is in it."""
    assert fault == next(faults(answer, _shape(name)), None)


def test_an_errors_text_is_brief() -> None:
    """A page becomes a line of bounded length."""
    assert brief("a\n  b\tc") == "a b c"
    assert len(brief("page " * 1000)) < response_shapes.MAX_TEXT + 5
