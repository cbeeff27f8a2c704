"""Answers that are none, or nearly: what proxies, portals, and servers with a fault send."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Mapping
from typing import Any

from tests.fakes.network.faulty_server import Act, Answer, Exchange, Fault

_HTML = {"Content-Type": "text/html"}
_JSON = {"Content-Type": "application/x-amz-json-1.0"}
_PAGE = b"<html><body>Sign in to the network</body></html>" * 40
_JUNK: tuple[Any, ...] = (None, True, 0, -1, 1e300, "", "junk", [], {}, [None], {"S": 5}, {"X": "y"}, [[]], "9" * 5000)


def body(content: bytes, status: int = 200, headers: Mapping[str, str] = _JSON) -> Act:
    """Just that."""
    answer = Answer(status, content, dict(headers))
    return lambda exchange, _: exchange.reply(answer)


def cut(share: float) -> Act:
    """A good answer's first part, as if that were all of it."""

    def act(exchange: Exchange, _: Fault) -> None:
        answer = exchange.forward(exchange.body)
        exchange.reply(answer._replace(body=answer.body[: int(len(answer.body) * share)]))

    return act


def broken_off(exchange: Exchange, _: Fault) -> None:
    """The connection ends in the middle of the answer."""
    _start(exchange, 1000)
    exchange.wfile.write(b'{"Table"')
    exchange.drop()


def slow(exchange: Exchange, _: Fault) -> None:
    """A good answer, byte by byte."""
    answer = exchange.forward(exchange.body)
    _start(exchange, len(answer.body))
    for each in range(0, len(answer.body), len(answer.body) // 8 + 1):
        exchange.wfile.write(answer.body[each : each + len(answer.body) // 8 + 1])
        exchange.wfile.flush()
        time.sleep(0.01)


def huge_header(exchange: Exchange, _: Fault) -> None:
    """More than any client reads."""
    exchange.reply(Answer(200, b"{}", {**_JSON, "X-Huge": "x" * 200_000}))


def many_headers(exchange: Exchange, _: Fault) -> None:
    """More than any client counts."""
    exchange.reply(Answer(200, b"{}", {**_JSON, **{f"X-{number}": "x" for number in range(500)}}))


def no_http(exchange: Exchange, _: Fault) -> None:
    """Another protocol."""
    exchange.wfile.write(b"220 mail.example.org ESMTP\r\n")
    exchange.drop()


def mangled(seed: int) -> Act:
    """A good answer with junk in the place of one of its parts, or without it."""

    def act(exchange: Exchange, _: Fault) -> None:
        answer = exchange.forward(exchange.body)
        content = json.loads(answer.body)
        draw = random.Random(seed)
        places = list(_places(content))
        if places:
            holder, name = draw.choice(places)
            if draw.random() < 0.25:
                del holder[name]
            else:
                holder[name] = copy.deepcopy(draw.choice(_JUNK))
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "x-amz-crc32"}
        exchange.reply(Answer(answer.status, json.dumps(content).encode(), headers))

    return act


ALWAYS: Mapping[str, Act] = {
    "page": body(_PAGE, headers=_HTML),
    "page of 503": body(_PAGE, 503, _HTML),
    "page of 403": body(_PAGE, 403, _HTML),
    "page of 404": body(_PAGE, 404, _HTML),
    "redirect": body(b"", 302, {"Location": "http://127.0.0.1:1/"}),
    "empty": body(b""),
    "nothing of its own": body(b"{}"),
    "list": body(b"[]"),
    "null": body(b"null"),
    "number": body(b"5"),
    "no UTF-8": body(b'{"Table":"\xff\xfe"}'),
    "deep": body(b'{"a":' * 3000 + b"1" + b"}" * 3000),
    "list as error": body(b"[]", 400),
    "odd error": body(b'{"__type": 5, "message": {"a": []}}', 400),
    "error of 200": body(b'{"__type": "x#ThrottlingException", "message": "no"}'),
    "cut": cut(0.6),
    "broken off": broken_off,
    "slow": slow,
    "huge header": huge_header,
    "many headers": many_headers,
    "no HTTP": no_http,
}


def _start(exchange: Exchange, length: int) -> None:
    exchange.send_response_only(200)
    exchange.send_header("Content-Type", _JSON["Content-Type"])
    exchange.send_header("Content-Length", str(length))
    exchange.end_headers()


def _places(value: Any) -> Any:
    pending = [value]
    while pending:
        each = pending.pop(0)
        names: Any = each if isinstance(each, dict) else range(len(each))
        for name in list(names):
            yield each, name
            if isinstance(each[name], (dict, list)):
                pending.append(each[name])
