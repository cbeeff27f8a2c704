"""Looks at where changes of a task's health are told, and sends nothing there.

Nothing depends on that place, so whatever is wrong with it is a warning: replication starts all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from processor.aws.topic import Topic
from processor.aws.webhook import Webhook
from processor.errors import CredentialsError, RefusedError, UnavailableError
from processor.reporting.findings import Finding, warning
from processor.settings.notify_place import NotifyPlace, notify_place
from processor.startup.plaintext_endpoints import is_loopback

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

_NOBODY = "Nobody would be told how the task stands; replication goes on without that"
# SNS's codes where a topic does not exist (API reference, GetTopicAttributes), or its ARN can't be one.
_NO_TOPIC = frozenset({"NotFound", "NotFoundException", "InvalidParameter", "InvalidParameterException"})


def findings(settings: Settings, clients: Clients) -> Iterator[Finding]:
    """What is wrong with the topic or the URL, as far as can be seen without a message."""
    if settings.notify_uri is None:
        return
    place = notify_place(settings.notify_uri)
    if place.topic:
        yield from _of_topic(place, clients)
    else:
        yield from _of_url(place)


def _of_topic(place: NotifyPlace, clients: Clients) -> Iterator[Finding]:
    what = f"notifyUri {place.shown}"
    try:
        Topic(place.topic, connect=lambda: clients.sns(place.region)).look()
    except CredentialsError as exc:
        yield warning(
            "notify-unknown",
            what,
            f"can't be looked at ({exc})",
            "Whether messages are taken there will be known with the first one",
            "Allow sns:GetTopicAttributes on it, which check alone needs, and see that sns:Publish is allowed",
        )
    except (UnavailableError, RefusedError) as exc:
        if exc.code in _NO_TOPIC:
            remedy = "Check region, account and name in notifyUri, or create the topic"
            yield warning("notify-missing", what, "does not exist", _NOBODY, remedy)
            return
        remedy = "Check the credentials, the network from this machine, and AWS_ENDPOINT_URL_SNS where that is set"
        yield warning("notify-unreachable", what, f"can't be reached ({exc})", _NOBODY, remedy)


def _of_url(place: NotifyPlace) -> Iterator[Finding]:
    what = f"notifyUri at {place.shown}"
    if place.url.startswith("http:") and not is_loopback(urlsplit(place.url).hostname or ""):
        yield warning(
            "notify-unencrypted",
            what,
            "is plain HTTP",
            "What the URL may have of a secret, and how the task stands, pass unencrypted",
            "Use https:// where that host has it",
        )
    try:
        Webhook(place.url, shown=place.shown).reach()
    except UnavailableError as exc:
        remedy = (
            "Check host and port in notifyUri, the network from this machine, HTTPS_PROXY and NO_PROXY, and for a "
            "certificate of your own authority AWS_CA_BUNDLE"
        )
        yield warning("notify-unreachable", what, f"can't be reached ({exc})", _NOBODY, remedy)
