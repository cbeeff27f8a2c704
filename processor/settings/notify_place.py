"""Where changes of a task's health are told: an SNS topic, or a URL that takes a JSON POST. Pure.

A URL's path or query may be a secret, as those of chat systems are. So no message here has them: a place is shown
by its scheme and host alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

# AWS's limit of a topic's name is 256 characters (SNS API reference, CreateTopic).
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]{2,63}):\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?")
_MOST_CHARACTERS = 2048


class NotifyPlace(NamedTuple):
    """One of the two.

    :param topic: its ARN
    :param region: the topic's
    :param url: as it was given
    :param shown: for people, logs and tables: the ARN, or scheme and host
    """

    topic: str = ""
    region: str = ""
    url: str = ""
    shown: str = ""


def notify_uri(value: str) -> str:
    """An SNS topic's ARN, or an http(s) URL. No message has the value, for it may hold a token."""
    if _TOPIC.fullmatch(value):
        return value
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number
        is_url = False
        parts = urlsplit("")
    if "@" in parts.netloc:
        message = (
            "a URL with a user or a password before its host can't be used. Put what the receiver knows you by into "
            "the URL's path or query"
        )
        raise ValueError(message)
    if is_url and not parts.fragment and re.fullmatch(r"[!-~]+", value) and len(value) <= _MOST_CHARACTERS:
        return value
    message = (
        "it is neither an SNS topic's ARN, such as arn:aws:sns:eu-west-1:123456789012:replicas, nor a URL such as "
        "https://alerts.example.com/replicas, with each other character than A-Z, a-z and 0-9 escaped where it must be"
    )
    raise ValueError(message)


def notify_place(uri: str) -> NotifyPlace:
    """The place that the setting names.

    :param uri: as ``notify_uri`` accepts it
    """
    topic = _TOPIC.fullmatch(uri)
    if topic is not None:
        return NotifyPlace(topic=uri, region=topic["region"], shown=uri)
    parts = urlsplit(uri)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return NotifyPlace(url=uri, shown=f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}")
