"""Brings one message to where ``notifyUri`` says, once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from processor.aws.clients import Clients
from processor.aws.topic import Topic
from processor.aws.webhook import Webhook
from processor.caretaker.notify import text
from processor.caretaker.notify.notice import Notice
from processor.settings.notify_place import NotifyPlace

# Returns when the message has arrived. Raises UnavailableError or RefusedError where it has not, as far as one knows.
Send = Callable[[Notice], None]


class Document(Notice, frozen=True, kw_only=True, rename="camel"):
    """What is posted: the message, and beside it what chat systems show of a document.

    :param headline: all of it in a sentence
    :param text: the whole, for people
    """

    headline: str
    text: str


def document(notice: Notice) -> Document:
    """The message with its texts."""
    fields = {name: getattr(notice, name) for name in notice.__struct_fields__}
    return Document(**fields, headline=text.headline(notice), text=text.body(notice))


def sender(place: NotifyPlace, clients: Clients) -> Send:
    """For a topic or a URL."""
    if place.topic:
        return _to_topic(Topic(place.topic, connect=lambda: clients.sns(place.region)))
    return _to_url(Webhook(place.url, shown=place.shown))


def _to_topic(topic: Topic) -> Send:
    def send(notice: Notice) -> None:
        made = document(notice)
        topic.publish(
            subject=text.subject(notice),
            headline=made.headline,
            text=made.text,
            document=msgspec.json.encode(made),
            group=notice.task,
            identity=_identity(notice),
            attributes={"event": notice.event, "health": notice.health, "task": notice.task},
        )

    return send


def _identity(notice: Notice) -> str:
    """Equal for two sendings of one message, whatever has been measured anew.

    The number is not enough: where an answer was lost, or its receiver killed, the next message has the same, and may
    say that it has got worse.
    """
    told = (notice.event, notice.health, [(wrong.id, wrong.object) for wrong in notice.wrong], notice.more_wrong)
    counts = [kept.count for kept in (notice.dead_letters, notice.conflicts) if kept is not None]
    return f"{notice.number} {msgspec.json.encode((*told, counts)).decode()}"


def _to_url(webhook: Webhook) -> Send:
    def send(notice: Notice) -> None:
        webhook.post(msgspec.json.encode(document(notice)))

    return send
