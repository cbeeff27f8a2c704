"""Messages on an SNS topic, as moto has it: texts for people, a document for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from processor.aws.clients import Clients
from processor.aws.topic import Topic
from processor.caretaker.notify.notice import Notice
from processor.caretaker.notify.sender import sender
from processor.errors import UnavailableError
from processor.settings.notify_place import notify_place
from processor.startup import notify_checks
from tests import schemas
from tests.fakes.task import tasks

REGION = "eu-central-1"
NOTICE = msgspec.convert(
    {
        "version": 1,
        "task": "orders",
        "number": 7,
        "event": "held",
        "health": "held",
        "before": "inSync",
        "at": "2027-01-15T08:03:10Z",
        "since": "2027-01-15T08:00:00Z",
        "source": {"region": "eu-west-1", "table": "orders"},
        "destination": {"region": "us-east-1", "table": "orders-copy"},
        "lagSeconds": None,
        "changesNotTold": 0,
        "wrong": [],
        "moreWrong": 0,
        "deadLetters": None,
        "conflicts": None,
        "statusCommand": "./run.sh status orders.properties",
    },
    Notice,
)


@pytest.fixture
def topic() -> Iterator[Any]:
    """A topic's ARN, with a queue that is subscribed to it, and a client of the queue."""
    with mock_aws():
        yield _made("replicas")


def _made(name: str, *, fifo: bool = False) -> tuple[str, Any, str]:
    made: Any = boto3.client  # whose stubs know neither of the two
    sns, sqs = made("sns", region_name=REGION), made("sqs", region_name=REGION)
    arn = sns.create_topic(Name=name, Attributes={"FifoTopic": "true"} if fifo else {})["TopicArn"]
    queue = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    return arn, sqs, queue


def _received(sqs: Any, queue: str) -> list[dict[str, Any]]:
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def test_a_message_arrives_by_its_document(topic: Any) -> None:
    """In the topic's own region, whichever the task's; subscriptions may choose by its attributes."""
    arn, sqs, queue = topic
    sender(notify_place(arn), Clients(tasks.task()))(NOTICE)
    (message,) = _received(sqs, queue)
    schemas.hold("notification.v1", message["Message"])
    assert message["Subject"] == "HELD: orders: every change is applied"
    chosen = {name: value["Value"] for name, value in message["MessageAttributes"].items()}
    assert chosen == {"event": "held", "health": "held", "task": "orders"}


def test_people_get_the_text_and_programs_the_document() -> None:
    """By the protocol of each subscription; within SNS's limit of 256 KB."""
    published: list[dict[str, Any]] = []

    class Client:
        def publish(self, **given: Any) -> None:
            published.append(given)

    Topic("arn:aws:sns:eu-central-1:123456789012:t", connect=Client).publish(
        subject="Bücher\n",
        headline="Held.",
        text="Held: all of it.\n",
        document=b'{"task":"orders"}',
        group="orders",
        identity="7",
        attributes={"event": "held"},
    )
    (given,) = published
    texts = json.loads(given["Message"])
    assert (given["MessageStructure"], given["Subject"]) == ("json", "B?cher?")
    assert (texts["default"], texts["email"], texts["sms"]) == ("Held: all of it.\n", "Held: all of it.\n", "Held.")
    assert {texts[name] for name in ("sqs", "lambda", "http", "https", "email-json", "firehose")} == {
        '{"task":"orders"}'
    }
    assert "MessageGroupId" not in given


def test_a_fifo_topic_gets_one_message_once() -> None:
    """Sent again with its number, after an answer that was lost, it is passed on once."""
    with mock_aws():
        arn, sqs, queue = _made("replicas.fifo", fifo=True)
        send = sender(notify_place(arn), Clients(tasks.task()))
        send(NOTICE)
        send(NOTICE)
        send(msgspec.structs.replace(NOTICE, number=8))
        assert [json.loads(each["Message"])["number"] for each in _received(sqs, queue)] == [7, 8]


def test_a_fifo_topic_passes_on_what_has_got_worse() -> None:
    """After a lost answer the newest is sent, with the number of what had arrived."""
    with mock_aws():
        arn, sqs, queue = _made("replicas.fifo", fifo=True)
        send = sender(notify_place(arn), Clients(tasks.task()))
        send(msgspec.structs.replace(NOTICE, lag_seconds=1.0))
        send(msgspec.structs.replace(NOTICE, lag_seconds=2.0))
        send(msgspec.structs.replace(NOTICE, event="loss", health="loss"))
        assert [json.loads(each["Message"])["event"] for each in _received(sqs, queue)] == [NOTICE.event, "loss"]


def test_what_is_wrong_with_a_topic_is_a_warning(topic: Any) -> None:
    """Nothing is sent, and no start waits for it."""
    arn, sqs, queue = topic
    settings = tasks.task(notifyUri=arn)
    assert list(notify_checks.findings(settings, Clients(settings))) == []
    gone = tasks.task(notifyUri=f"{arn}-gone")
    (finding,) = notify_checks.findings(gone, Clients(gone))
    assert (finding.id, finding.severity) == ("notify-missing", "warning")
    assert _received(sqs, queue) == []
    with pytest.raises(UnavailableError, match="topic arn:aws:sns"):
        sender(notify_place(f"{arn}-gone"), Clients(gone))(NOTICE)
