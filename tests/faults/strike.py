"""One fault of the matrix, done to one call of the replicator's, once or as long as it lasts."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from xml.sax.saxutils import escape

from tests.fakes.network.faulty_server import Answer, Exchange, Fault
from tests.faults.spoil import spoil

_DRIP_BYTES = 2
_DRIP_SECONDS = 0.4
_LOOK_SECONDS = 0.02
_SPOILED = {"empty-object", "part-missing", "empty-list", "wrong-type"}
# Codes of the JSON protocol, then of S3 and STS; where there are several, the number chooses.
_CODES: dict[str, tuple[tuple[int, str], ...]] = {
    "not-found": ((400, "ResourceNotFoundException"),),
    "denied": ((400, "AccessDeniedException"),),
    "throttled": ((400, "ThrottlingException"), (400, "ProvisionedThroughputExceededException")),
    "server-error": ((500, "InternalServerError"), (503, "ServiceUnavailable")),
    "expired": ((400, "ExpiredTokenException"),),
}
_XML_CODES: dict[str, dict[str, tuple[int, str]]] = {
    "s3": {
        "not-found": (404, "NoSuchBucket"),
        "denied": (403, "AccessDenied"),
        "throttled": (503, "SlowDown"),
        "server-error": (500, "InternalError"),
        "expired": (400, "ExpiredToken"),
    },
    "sts": {
        "not-found": (404, "NoSuchEntity"),
        "denied": (403, "AccessDenied"),
        "throttled": (400, "Throttling"),
        "server-error": (503, "ServiceUnavailable"),
        "expired": (403, "ExpiredToken"),
    },
}
_XML_CODES["conflicts"] = _XML_CODES["s3"]
# No answer of these says anything but that it is done, so an empty one is only wrong where nothing is.
_NOT_DONE = {"BatchWriteItem"}


class Strike:
    """What ``faulty_server.inject`` takes as an act, and what became of it.

    :param site: whose manner of error it is
    :param number: which part, which code, which end of the connection: different numbers meet different ones
    :param lasting: until it is cleared, not once
    :param with_records: only a page that has records
    """

    def __init__(self, kind: str, *, site: str, number: int, lasting: bool = False, with_records: bool = False) -> None:
        self._kind = kind
        self._site = site
        self._number = number
        self._lasting = lasting
        self._with_records = with_records
        self._lock = threading.Lock()
        self._taken = 0
        self.met = 0
        self.first_met: float | None = None
        self.same = 0  # answers in which there was nothing to spoil
        self.asked = 0
        self.waiting = 0  # requests whose client still waits for an answer
        self.asked_since = 0  # the same call, made again since the fault was met

    def __call__(self, exchange: Exchange, fault: Fault) -> None:
        """Let the request go wrong, unless that has been done."""
        self.asked += 1
        self.asked_since += self.met > 0
        if not self._take():
            return exchange.reply(exchange.forward(exchange.body))
        if self._kind in _SPOILED:
            return self._spoil(exchange)
        self._count()
        self.waiting += 1
        try:
            return _ACTS[self._kind](self, exchange, fault)
        finally:
            self.waiting -= 1

    def _take(self) -> bool:
        with self._lock:
            if self._taken and not self._lasting:
                return False
            self._taken += 1
            return True

    def _count(self) -> None:
        with self._lock:
            self.met += 1
            self.first_met = self.first_met or time.monotonic()

    def _spoil(self, exchange: Exchange) -> None:
        undone = self._kind == "empty-object" and exchange.operation in _NOT_DONE
        answer = Answer(200, b'{"UnprocessedItems":{}}', {}) if undone else exchange.forward(exchange.body)
        wanted = answer.status < 300 and not (self._with_records and _is_empty_page(answer.body))
        spoiled = spoil(answer, self._kind, self._number, rows=self._site == "leases") if wanted else None
        if spoiled is None:
            with self._lock:
                self._taken -= 1
                self.same += wanted
            return exchange.reply(answer)
        self._count()
        return exchange.reply(spoiled)

    # --- The others ---------------------------------------------------------------------------------------------------

    def _refuse(self, exchange: Exchange, _: Fault) -> None:
        exchange.reply(refusal(exchange, self._site, self._kind, self._number))

    def _cut(self, exchange: Exchange, _: Fault) -> None:
        if self._number % 2:
            answer = exchange.forward(exchange.body)
            _begin(exchange, answer)
            exchange.wfile.write(answer.body[: len(answer.body) // 2])
        exchange.drop()

    def _hang(self, exchange: Exchange, fault: Fault) -> None:
        while not exchange.hung_up():
            if fault.cleared.wait(_LOOK_SECONDS):
                return exchange.reply(exchange.forward(exchange.body))
        return exchange.drop()

    def _drip(self, exchange: Exchange, fault: Fault) -> None:
        answer = exchange.forward(exchange.body)
        _begin(exchange, answer)
        for begin in itertools.count(0, _DRIP_BYTES):
            if begin >= len(answer.body) or exchange.hung_up():
                return
            if fault.cleared.wait(_DRIP_SECONDS):
                exchange.wfile.write(answer.body[begin:])
                return
            exchange.wfile.write(answer.body[begin : begin + _DRIP_BYTES])
            exchange.wfile.flush()
        return

    def _lose(self, exchange: Exchange, _: Fault) -> None:
        exchange.forward(exchange.body)
        exchange.drop()


_ACTS: dict[str, Callable[[Strike, Exchange, Fault], None]] = {
    **dict.fromkeys(_CODES, Strike._refuse),
    "cut": Strike._cut,
    "hung": Strike._hang,
    "dripping": Strike._drip,
    "answer-lost": Strike._lose,
}


def refusal(exchange: Exchange, site: str, kind: str, number: int) -> Answer:
    """An error as this service gives it, in the protocol that the request came in."""
    if site in _XML_CODES:
        status, code = _XML_CODES[site][kind]
        return Answer(status, _xml_error(site, code), {"Content-Type": "text/xml"})
    codes = _CODES[kind]
    status, code = codes[number % len(codes)]
    if exchange.headers.get("smithy-protocol") == "rpc-v2-cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Answer(status, _cbor_map({"__type": f"com.amazonaws.{site}#{code}", "message": "as wanted"}), headers)
    if "X-Amz-Target" not in exchange.headers:  # CloudWatch's older protocol
        return Answer(status, _xml_error(site, code), {"Content-Type": "text/xml"})
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "As the cell wants it"})
    return Answer(status, body.encode(), {"Content-Type": "application/x-amz-json-1.0"})


def _xml_error(site: str, code: str) -> bytes:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape('As the cell wants it')}</Message></Error>"
    return (error if site != "sts" else f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>").encode()


def _cbor_map(texts: dict[str, str]) -> bytes:
    """RFC 8949: a map of short texts."""
    return bytes([0xA0 + len(texts)]) + b"".join(
        bytes([0x78, len(each.encode())]) + each.encode() for pair in texts.items() for each in pair
    )


def _is_empty_page(body: bytes) -> bool:
    return b'"Records"' not in body or b'"eventID"' not in body


def _begin(exchange: Exchange, answer: Answer) -> None:
    exchange.send_response_only(answer.status)
    for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
        exchange.send_header(name, value)
    exchange.end_headers()
