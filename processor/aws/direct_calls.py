"""Makes calls of AWS's JSON protocol without what slows a client's calls: models, hooks, retries, urllib3, http.client.

::

    credentials (botocore) ─▶ sigv4.py ─▶ before_send ─▶ http1.py on a connection of botocore's pool ─▶ checks
                                                    └──────▶ botocore's HTTP session, if no connection is open

botocore's HTTP session opens every connection, by an ordinary request. So it alone deals with names, proxies, TLS,
client certificates and ``AWS_CA_BUNDLE``, and with their errors. After that request the connection is used directly.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, HeadersDict, prepare_request_dict
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    NoCredentialsError,
    ReadTimeoutError,
)
from urllib3.util import parse_url

from processor.aws.bounds import InvalidAnswerError, most_bytes
from processor.aws.checked_parser import checked
from processor.aws.client_calls import ClientCalls
from processor.aws.errors import STALE_CREDENTIALS, not_aws
from processor.aws.http1 import exchange
from processor.aws.http_answer import Answer, BrokenAnswerError
from processor.aws.internals import (
    ChangedLibraryError,
    DirectParts,
    direct_parts,
    give_back,
    pool_of,
    say,
    take_connection,
)
from processor.aws.sigv4 import Signer
from processor.aws.tls import load_once


class Calls(Protocol):
    """Calls of one client, with bytes for bodies."""

    def call(self, operation: str, body: bytes, *, before_send: Callable[[], None] = lambda: None) -> bytes:
        """Make a call; see ``DirectCalls``."""


def direct_calls(client: Any, *, operation: str, parameters: dict[str, Any], forked: bool = False) -> Calls:
    """The calls of one client, made directly, or by the client if the library doesn't let us.

    :param operation: a call for which to look the endpoint up; an account may have an endpoint of its own
    :param forked: processes that are forked from this one will make them
    """
    try:
        return DirectCalls(client, direct_parts(client, operation, parameters), forked=forked)
    except ChangedLibraryError as exc:
        say(exc, "Each call is made by botocore's client, at several times the CPU.")
        return ClientCalls(client)


class DirectCalls:
    """The calls of one client, made once each. Any number of threads may share it.

    :param client: its credentials, connections and timeouts are used
    """

    def __init__(self, client: Any, parts: DirectParts, *, forked: bool = False) -> None:
        model, config = client.meta.service_model, client.meta.config
        region = client.meta.region_name
        self._session, self._credentials, agent, endpoint = parts
        load_once(self._session, now=forked and endpoint.startswith("https:"))
        prepared: dict[str, Any] = {"url_path": "/", "query_string": {}, "headers": {}, "body": b""}
        prepare_request_dict(prepared, endpoint_url=endpoint)
        self._url: str = prepared["url"]
        self._target = parse_url(self._url).request_uri.encode()
        example = AWSRequest(method="POST", url=self._url)
        signed = SigV4Auth(None, model.signing_name, region)  # type: ignore[arg-type]  # it signs nothing
        self._signer = Signer(
            host=signed.headers_to_sign(example)["host"],
            path=signed.canonical_request(example).split("\n")[1],
            region=region,
            service=model.signing_name,
        )
        self._service = model.service_name
        self._prefix = model.metadata["targetPrefix"]
        self._type = f"application/x-amz-json-{model.metadata['jsonVersion']}"
        self._unsigned = {"User-Agent": agent, "Accept-Encoding": "identity"}
        self._send_seconds, self._read_seconds = config.connect_timeout, config.read_timeout
        self._pool: Any = None

    def call(self, operation: str, body: bytes, *, before_send: Callable[[], None] = lambda: None) -> bytes:
        """Make a call once.

        :param body: the request's JSON
        :param before_send: called when only connecting, if needed, and sending are left to do
        :returns: the answer's JSON, which is an object
        :raises ClientError, BotoCoreError, OSError: see ``aws_errors``
        """
        if self._credentials is None:
            raise NoCredentialsError
        headers = self._signer.headers(
            self._credentials.get_frozen_credentials(),
            content_type=self._type,
            target=f"{self._prefix}.{operation}",
            body=body,
            at=time.time(),
        )
        headers |= self._unsigned
        before_send()
        try:
            limit = most_bytes(self._service, operation, len(body))
            return checked(operation, self._exchange(headers, body, limit))
        except ClientError as exc:
            if exc.response.get("Error", {}).get("Code") in STALE_CREDENTIALS:
                self._credentials.renew()  # for the next attempt, which the caller makes
            raise

    def _exchange(self, headers: dict[str, str], body: bytes, limit: int) -> Answer:
        pool = self._pool
        connection = None if pool is None else take_connection(pool)
        if connection is None or connection.is_closed or connection.proxy_is_forwarding:
            if connection is not None:
                give_back(pool, connection)
            return self._opening_exchange(headers, body)
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (self._target, lines.encode("latin-1"), len(body))
        is_kept = False
        try:
            answer, is_kept = exchange(
                connection.sock,
                head + body,
                send_seconds=self._send_seconds,
                read_seconds=self._read_seconds,
                most_bytes=limit,
            )
        except TimeoutError as exc:
            raise ReadTimeoutError(endpoint_url=self._url, error=exc) from exc
        except InvalidAnswerError as exc:
            raise not_aws("DynamoDB's", exc) from exc
        except (BrokenAnswerError, OSError) as exc:
            raise ConnectionClosedError(endpoint_url=self._url, error=exc) from exc
        finally:
            if not is_kept:
                connection.close()
            give_back(pool, connection)
        return answer

    def _opening_exchange(self, headers: dict[str, str], body: bytes) -> Answer:
        request = AWSPreparedRequest("POST", self._url, HeadersDict(headers), body, stream_output=False)  # type: ignore[arg-type]  # as botocore makes it
        answer = self._session.send(request)
        self._pool = pool_of(answer)
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, found, answer.content)
