"""STS for AssumeRole. Each role has an access key of its own, and so an account of DynamoDB Local's without -sharedDb.

::

    with FakeSts({READER: "READER"}) as sts:            # the role's ARN, and its access key
        sts.environment                                 # what sends every SDK here
        sts.asked                                       # each AssumeRole: who, as whom, with what
        sts.away = True                                 # 503 from now on
    sts.refusal = "RegionDisabledException"         # what everybody is refused with from now on
    sts.stale.add("KEY")                            # that access key's calls are refused as expired
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.fakes.network.listener import Listener

if TYPE_CHECKING:
    from typing_extensions import Self

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class Asked(NamedTuple):
    """One AssumeRole."""

    role_arn: str
    by: str  # access key
    session_name: str
    external_id: str | None
    java: bool  # the daemon's JVM, not Python
    region: str  # that it was signed for


@dataclass
class FakeSts:
    """Answers as STS does; ``expires_in`` says for how many seconds credentials hold."""

    roles: Mapping[str, str]
    external_ids: Mapping[str, str] = field(default_factory=dict)
    expires_in: Callable[[Asked], float] = lambda _: 3600.0
    away: bool = False
    refusal: str | None = None
    stale: set[str] = field(default_factory=set)
    asked: list[Asked] = field(default_factory=list)
    turned_away: list[bool] = field(default_factory=list)  # of each request: was it the JVM's?

    def __enter__(self) -> Self:
        keep = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, answer = keep.answer(
                    {name: values[0] for name, values in form.items()},
                    signed=self.headers.get("Authorization", ""),
                    agent=self.headers.get("User-Agent", ""),
                )
                self.send_response_only(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._listener = Listener(Handler)
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What sends every SDK's STS calls here."""
        return {"AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{self._listener.port}"}

    def count(self, role_arn: str, *, java: bool) -> int:
        """How often the role was given to Python, or to the JVM."""
        return sum(each.role_arn == role_arn and each.java == java for each in list(self.asked))

    def answer(self, form: Mapping[str, str], *, signed: str, agent: str) -> tuple[int, bytes]:
        """AssumeRole's answer: status and XML."""
        if self.away:
            self.turned_away.append("aws-sdk-java" in agent)
            return 503, _error("Receiver", "ServiceUnavailable", "away")
        if self.refusal is not None:
            return 403, _error("Sender", self.refusal, "as the test wants it")
        by, _, region = signed.partition("Credential=")[2].split("/")[:3]
        if by in self.stale:
            self.turned_away.append("aws-sdk-java" in agent)
            return 403, _error("Sender", "ExpiredToken", "The security token included in the request is expired")
        asked = Asked(
            role_arn=form["RoleArn"],
            by=by,
            session_name=form["RoleSessionName"],
            external_id=form.get("ExternalId"),
            java="aws-sdk-java" in agent,
            region=region,
        )
        if asked.role_arn not in self.roles or asked.external_id != self.external_ids.get(asked.role_arn):
            words = f"User: {by} is not authorized to perform: sts:AssumeRole on resource: {asked.role_arn}"
            return 403, _error("Sender", "AccessDenied", words)
        self.asked.append(asked)
        until = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=self.expires_in(asked))
        return 200, (
            f'<AssumeRoleResponse xmlns="{_NAMESPACE}"><AssumeRoleResult><Credentials>'
            f"<AccessKeyId>{self.roles[asked.role_arn]}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            f"<SessionToken>token-{len(self.asked)}</SessionToken><Expiration>{until:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
            "</Credentials></AssumeRoleResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
            "</AssumeRoleResponse>"
        ).encode()


def _error(kind: str, code: str, message: str) -> bytes:
    return (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>{kind}</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    ).encode()
