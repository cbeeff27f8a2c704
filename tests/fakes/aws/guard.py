"""A proxy that lets only those requests through that an ``Authority`` allows; ``guarded_calls.py`` reads them.

Behind it stands an emulator, which has words of its own for region and account in its ARNs. Who talks to the guard
sees AWS's: ``region`` and ``account`` are put in their place on the way, there and back.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Mapping
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from tests.fakes.aws import guarded_calls
from tests.fakes.aws.authority import Authority, Call
from tests.fakes.network.faulty_server import Answer, Exchange, FaultyServer
from tests.fakes.patience import PATIENCE_SECONDS

_NOT_FORWARDED = {"connection", "content-length", "transfer-encoding", "accept-encoding", "x-amz-crc32", "expect"}


class Guard(FaultyServer):
    """For one service, in one region and account.

    :param upstream: the emulator's endpoint
    :param foreign: how the emulator's ARNs begin, as ``arn:aws:dynamodb:ddblocal:000000000000:``; empty where they are
        AWS's
    """

    def __init__(self, upstream: str, authority: Authority, *, region: str, account: str, foreign: str = "") -> None:
        super().__init__()
        self._upstream = urlsplit(upstream).netloc
        self._authority = authority
        self._own = f"arn:aws:dynamodb:{region}:{account}:".encode()
        self._foreign = foreign.encode() or self._own
        self.buckets: dict[str, str] = {}  # those of another account than this one's
        self._streams: dict[str, str] = {}  # iterator -> stream

    def perform(self, exchange: Exchange, body: bytes) -> Answer:
        """Ask whether it is allowed, then forward it."""
        asked = guarded_calls.read(exchange, body, own=self._own.decode(), streams=self._streams, buckets=self.buckets)
        if asked.role_arn:
            denied = self._authority.assume(exchange.access_key, asked.role_arn, asked.context)
        else:
            denied = self._authority.check(exchange.access_key, asked.wanted, asked.context)
        if denied is not None:
            return _refusal(asked.service, denied, exchange)
        answer = self._forward(exchange, body)
        if answer.status == http.client.OK:
            self._learn(exchange, body, asked, answer)
        return answer

    def _forward(self, exchange: Exchange, body: bytes) -> Answer:
        headers = {name: value for name, value in exchange.headers.items() if name.lower() not in _NOT_FORWARDED}
        if exchange.service:  # of a JSON protocol; other bodies have no ARNs, and their checksums stay right
            body = body.replace(self._own, self._foreign)
        with contextlib.closing(http.client.HTTPConnection(self._upstream, timeout=PATIENCE_SECONDS)) as upstream:
            upstream.request(exchange.command, exchange.path, body=body, headers=headers)
            response = upstream.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _NOT_FORWARDED}
            content = response.read()
        if exchange.service:
            content = content.replace(self._foreign, self._own)
        return Answer(response.status, content, kept)

    def _learn(self, exchange: Exchange, body: bytes, asked: guarded_calls.Asked, answer: Answer) -> None:
        """Whose an iterator is, and whose new credentials are."""
        if exchange.operation == "GetShardIterator":
            self._streams[json.loads(answer.body)["ShardIterator"]] = json.loads(body)["StreamArn"]
        elif exchange.operation == "GetRecords":
            following = json.loads(answer.body).get("NextShardIterator")
            if following:
                self._streams[following] = self._streams[json.loads(body)["ShardIterator"]]
        elif asked.role_arn:
            key = ET.fromstring(answer.body).find(".//{*}AccessKeyId")  # noqa: S314  # moto's
            assert key is not None
            assert key.text is not None
            self._authority.user(key.text, self._authority.roles[asked.role_arn])


def _refusal(service: str, call: Call, exchange: Exchange) -> Answer:
    words = f"User: {call.principal} is not authorized to perform: {call.action} on resource: {call.resource}"
    if service == "dynamodb":
        content: Mapping[str, str] = {
            "__type": "com.amazon.coral.service#AccessDeniedException",
            "Message": f"{words} because no identity-based policy allows the {call.action} action",
        }
        return Answer(400, json.dumps(content).encode(), {"Content-Type": "application/x-amz-json-1.0"})
    body = b"" if exchange.command == "HEAD" else _xml(service, words)
    return Answer(403, body, {"Content-Type": "application/xml"})


def _xml(service: str, words: str) -> bytes:
    error = f"<Error><Code>AccessDenied</Code><Message>{words}</Message></Error>"
    return (error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>").encode()
