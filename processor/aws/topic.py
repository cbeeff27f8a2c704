"""Publishes on one SNS topic, and maps its errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from processor.aws.errors import aws_errors

# SNS's limit of a subject, which has ASCII alone (API reference, Publish).
MOST_SUBJECT_CHARACTERS = 99
# Where a subscription's protocol has no text of its own, SNS sends "default".
_MACHINES = ("sqs", "lambda", "http", "https", "email-json", "firehose")


class Topic:
    """One topic. For one thread.

    :param connect: makes a client of its region
    """

    def __init__(self, arn: str, *, connect: Callable[[], Any]) -> None:
        self._arn = arn
        self._connect = connect
        self._client: Any = None

    def publish(
        self,
        *,
        subject: str,
        headline: str,
        text: str,
        document: bytes,
        group: str,
        identity: str,
        attributes: Mapping[str, str],
    ) -> None:
        """Publish one message: for people its text, for programs its document, for telephones its headline.

        :param group: of a FIFO topic: messages of one group keep their order
        :param identity: of two messages of a group that have the same, a FIFO topic passes on the first, within five
            minutes
        :param attributes: by which subscriptions may choose
        :raises UnavailableError, RefusedError: it was not taken
        """
        of_machines = dict.fromkeys(_MACHINES, document.decode())
        structure = {"default": text, "email": text, "sms": headline, **of_machines}
        more: Mapping[str, str] = {}
        if self._arn.endswith(".fifo"):
            one = hashlib.sha256(f"{group} {identity}".encode()).hexdigest()
            more = {"MessageGroupId": group, "MessageDeduplicationId": one}
        with aws_errors(f"Publish on topic {self._arn}"):
            self._connected().publish(
                TopicArn=self._arn,
                Subject=plain_subject(subject),
                Message=json.dumps(structure),
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
                **more,
            )

    def look(self) -> None:
        """See whether it is there, and may be seen.

        :raises UnavailableError, RefusedError: it is not, or can't be asked
        """
        with aws_errors(f"GetTopicAttributes on topic {self._arn}"):
            self._connected().get_topic_attributes(TopicArn=self._arn)

    def _connected(self) -> Any:
        self._client = self._client or self._connect()
        return self._client


def plain_subject(text: str) -> str:
    """A subject as SNS takes it: printable ASCII, on one line, and not too long."""
    plain = "".join(each if " " <= each <= "~" else "?" for each in text).strip() or "?"
    return plain if len(plain) <= MOST_SUBJECT_CHARACTERS else f"{plain[: MOST_SUBJECT_CHARACTERS - 4]} ..."
