"""Signs requests of the JSON protocol, whose signed headers are always the same, with Signature Version 4.

It reads no clock. botocore can sign any request, and spends most of the time on finding out what this one consists of,
and on the day's key. (AWS IAM user guide, "Create a signed AWS API request".)
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import NamedTuple, Protocol

_ALGORITHM = "AWS4-HMAC-SHA256"
_NAMES = "content-type;host;x-amz-date;x-amz-target"
_NAMES_OF_TEMPORARY = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"


class Keys(Protocol):
    """Credentials, as botocore freezes them."""

    @property
    def access_key(self) -> str:
        """Is sent in the request."""

    @property
    def secret_key(self) -> str:
        """Signs it."""

    @property
    def token(self) -> str | None:
        """Of temporary credentials; is sent in the request."""


class _DayKey(NamedTuple):
    secret: str
    day: str
    key: bytes


class Signer:
    """Signs the requests to one endpoint. Any number of threads may share it.

    :param host: as in the Host header
    :param path: the URL's path, as it is signed
    """

    def __init__(self, *, host: str, path: str, region: str, service: str) -> None:
        self._host = host
        self._path = path
        self._region = region
        self._service = service
        self._day_key = _DayKey("", "", b"")

    def headers(self, keys: Keys, *, content_type: str, target: str, body: bytes, at: float) -> dict[str, str]:
        """Every header that is signed, and the signature.

        :param at: seconds since the epoch
        """
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        day = date[:8]
        token, names = "", _NAMES
        if keys.token:
            token, names = f"x-amz-security-token:{keys.token}\n", _NAMES_OF_TEMPORARY
        canonical = (
            f"POST\n{self._path}\n\ncontent-type:{content_type}\nhost:{self._host}\nx-amz-date:{date}\n{token}"
            f"x-amz-target:{target}\n\n{names}\n{hashlib.sha256(body).hexdigest()}"
        )
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        to_sign = f"{_ALGORITHM}\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key(keys.secret_key, day), to_sign.encode(), "sha256").hex()
        headers = {
            "Host": self._host,
            "Content-Type": content_type,
            "X-Amz-Target": target,
            "X-Amz-Date": date,
            "Authorization": (
                f"{_ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
            ),
        }
        if keys.token:
            headers["X-Amz-Security-Token"] = keys.token
        return headers

    def _key(self, secret: str, day: str) -> bytes:
        """The key of a day, derived once; two threads may derive it at the same time, which does no harm."""
        kept = self._day_key
        if kept.secret != secret or kept.day != day:
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day_key = kept = _DayKey(secret, day, key)
        return kept.key
