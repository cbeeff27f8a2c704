"""Sends JSON to a URL that is not AWS's, in the way in which every other call goes out.

Proxies, certificate authorities, deadlines and limits of answers are those of AWS's calls (``connections.py``). The
URL may hold a token, so no error has it: neither its path nor its query, nor a library's words about them. A redirect
is not followed, and of an answer nothing but its status counts.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus

from botocore.awsrequest import AWSRequest
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from urllib3.util.ssl_match_hostname import CertificateError

from processor.aws.connections import UNBOUND, bound_session
from processor.aws.errors import NotDynamoDBError
from processor.aws.internals import ChangedLibraryError, say
from processor.aws.sessions import configured
from processor.errors import UnavailableError
from processor.reporting import secrets
from processor.settings.identity import OWN, SESSION_NAME

# Seconds, for each step to the receiver, for its answer, and for the whole of a call.
_CONNECT_SECONDS, _READ_SECONDS, _CALL_SECONDS = 3, 10, 20.0
# What a receiver answers is read so that the connection is whole, and thrown away.
_MOST_BYTES = 64 * 1024
# It logs each certificate of another host, beside the error that it raises.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (ProxyConnectionError, "the proxy that HTTP_PROXY or HTTPS_PROXY names can't be reached"),
    (ConnectTimeoutError, f"no connection within {_CONNECT_SECONDS} s"),
    (ReadTimeoutError, f"no answer within {_READ_SECONDS} s"),
    (SSLError, "no TLS connection"),
    (EndpointConnectionError, "no connection"),
    (ConnectionClosedError, "the connection was closed before there was an answer"),
    (NotDynamoDBError, "what answers does not keep to HTTP, or says too much"),
)


class Webhook:
    """A URL that takes JSON.

    :param shown: what may be said of it: its scheme and host
    """

    def __init__(self, url: str, *, shown: str) -> None:
        self._url = url
        self._shown = shown
        secrets.remember(url, url.partition("://")[2].partition("/")[2])  # for whoever else may quote it

    def post(self, body: bytes) -> None:
        """Send a JSON document; it has arrived when this returns.

        :raises UnavailableError: it was not taken, as far as one knows; sent again, it may arrive twice
        """
        status = self._send("POST", body)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            redirects = " Redirects aren't followed." if HTTPStatus(300) <= status < HTTPStatus.BAD_REQUEST else ""
            message = f"POST to {self._shown}: it answers {status}, and not that it has taken the message.{redirects}"
            raise UnavailableError(message, code=f"HTTP {status}")

    def reach(self) -> int:
        """See whether somebody answers there, by a request that asks for nothing (HEAD).

        :returns: the answer's status, which may be any: many receivers know POST alone
        :raises UnavailableError: nobody does, or not by a certificate that is trusted
        """
        return self._send("HEAD", None)

    def _send(self, method: str, body: bytes | None) -> int:
        headers = {"User-Agent": SESSION_NAME, "Accept": "*/*"}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        try:
            # Anew each time: messages are rare, and proxies, authorities and addresses may have changed.
            session = URLLib3Session(
                verify=_authorities(),  # type: ignore[arg-type]  # botocore's own callers give a path, too
                proxies=get_environ_proxies(self._url),
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),  # type: ignore[arg-type]  # and two numbers
                max_pool_connections=1,
            )
            try:
                _bound(session)
                request = AWSRequest(method=method, url=self._url, headers=headers, data=body)
                return int(session.send(request.prepare()).status_code)
            finally:
                session.close()
        except (BotoCoreError, HTTPClientError, OSError, ValueError, LookupError) as exc:
            message = f"{method} to {self._shown}: {_reason(exc)}"
            # Without its cause, whose words have the URL.
            raise UnavailableError(message, code=type(exc).__name__) from None


def _authorities() -> bool | str:
    """As a client of AWS has them: AWS_CA_BUNDLE, the profile's ca_bundle, REQUESTS_CA_BUNDLE, or the library's own."""
    return configured(OWN, "ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _bound(session: URLLib3Session) -> None:
    try:
        bound_session(session, _CALL_SECONDS, lambda _: _MOST_BYTES, whose="a receiver's")
    except ChangedLibraryError as exc:
        say(exc, UNBOUND)


def _reason(exc: Exception) -> str:
    """Our words for what happened, and the system's for why."""
    said = next((words for kind, words in _WORDS if isinstance(exc, kind)), "it can't be reached")
    why = next(_system_words(exc), "")
    return f"{said} ({why})" if why else f"{said} ({type(exc).__name__})"


def _system_words(exc: BaseException) -> Iterator[str]:
    """What OpenSSL, the resolver or the system say, of whom none knows the URL's path."""
    seen: set[int] = set()
    left: list[object] = [exc]
    while left:
        each = left.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, ssl.SSLCertVerificationError):
            yield f"certificate not accepted: {each.verify_message.rstrip('.')}"
        elif isinstance(each, CertificateError):
            yield "certificate not accepted: it is of another host"
        elif isinstance(each, ssl.SSLError) and each.reason:
            yield str(each.reason)
        elif isinstance(each, (socket.gaierror, OSError)) and each.strerror:
            yield str(each.strerror)
        kept = getattr(each, "kwargs", {})
        left += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
        left += [kept.get("error")] if isinstance(kept, dict) else []
