"""Looks an identity's credentials up again when AWS refuses them as expired or unknown.

botocore keeps what it found first, even if the file was rewritten since. Here every client of a session shares one
``RenewedCredentials``::

    call ─▶ refused as stale ─▶ renew(): are there others now? ─ yes ─▶ the call is repeated at once, with those
                                                               └ no ──▶ the error; the next refusal looks again

The old credentials are kept until others are found: one wrong answer, or a file that is just being written, must not
leave a client without credentials that are still valid.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, CredentialRetrievalError, NoCredentialsError

from processor.aws.errors import STALE_CREDENTIALS
from processor.errors import ReplicatorError
from processor.reporting import secrets

# Many threads are refused at once, and a look-up may call STS or the instance's metadata; leases last for 5 s.
RENEWAL_SECONDS = 2.0
# After a look-up that found nothing.
_NEXT_LOOK_SECONDS = 1.0


class UnusableCredentialsError(CredentialRetrievalError):
    """There are credentials, but nobody can use them until a person changes them."""


LookUp = Callable[[], Credentials | None]


class RenewedCredentials(Credentials):
    """The credentials with which botocore's clients sign. Any number of threads may share it.

    :param look_up: finds the current credentials, or returns None if there are none
    """

    def __init__(self, look_up: LookUp, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.method = "renewed"
        self._look_up = look_up
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Credentials | None = None
        self._failure: Exception | None = None
        self._next_look = float("-inf")
        self._given = threading.local()
        self._seen: tuple[ReadOnlyCredentials, ReadOnlyCredentials] | None = None

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys to sign with now.

        :raises NoCredentialsError: there are none
        :raises BotoCoreError: they can't be found, renewed, or used
        """
        self._given.keys = keys = self._keys_of(self._current())
        return keys

    def get_deferred_property(self, property_name: str) -> Callable[[], Any]:
        """A property such as the account's number, for which botocore asks when it looks for an endpoint."""
        return lambda: getattr(self.get_frozen_credentials(), property_name, None)

    # botocore reads these from credentials that are not frozen; the base class has them as attributes.
    access_key = property(lambda self: self.get_frozen_credentials().access_key)
    secret_key = property(lambda self: self.get_frozen_credentials().secret_key)
    token = property(lambda self: self.get_frozen_credentials().token)
    account_id = property(lambda self: self.get_frozen_credentials().account_id)

    def exist(self) -> bool:
        """Whether any can be found.

        :raises BotoCoreError: it can't be found out
        """
        try:
            self._current()
        except NoCredentialsError:
            return False
        return True

    def renew(self) -> bool:
        """Look for others, because those that this thread used last were refused.

        :returns: whether there are others now
        """
        refused = getattr(self._given, "keys", None)
        with self._lock:
            try:
                if self._found is not None and self._keys_of(self._found) != refused:
                    return True  # another thread has found them
                if self._clock() < self._next_look:
                    return False
                self._next_look = self._clock() + RENEWAL_SECONDS
                found = self._look_up()
                if found is None or self._keys_of(found) == refused:
                    return False
            except (BotoCoreError, ReplicatorError, OSError, ValueError):  # the refusal itself is the better message
                return False
            self._found = found
        return True

    def retry(self, response: Any = None, **_: object) -> float | None:
        """Answer botocore's event ``needs-retry``: a call that was refused as stale is repeated with others.

        :param response: HTTP's response and the parsed answer, or None if no answer came
        :returns: seconds to wait before the call is repeated, or None not to repeat it
        """
        if response is None or response[1].get("Error", {}).get("Code") not in STALE_CREDENTIALS:
            return None
        return 0.0 if self.renew() else None

    def _current(self) -> Credentials:
        found = self._found
        if found is None:
            with self._lock:
                found = self._found = self._found or self._first()
        return found

    def _first(self) -> Credentials:
        if self._failure is not None and self._clock() < self._next_look:
            raise self._failure
        try:
            found = self._look_up()
        except Exception as exc:  # noqa: BLE001  # raised below, and again by those who ask at once
            self._failure = exc
        else:
            if found is not None:
                return found
            self._failure = NoCredentialsError()
        self._next_look = self._clock() + _NEXT_LOOK_SECONDS
        raise self._failure

    def _keys_of(self, found: Credentials) -> ReadOnlyCredentials:
        try:
            keys = found.get_frozen_credentials()
        except RuntimeError as exc:  # botocore's, about keys that were already expired when they were issued
            raise CredentialRetrievalError(provider=found.method, error_msg=str(exc)) from exc
        seen = self._seen
        if seen is None or seen[0] != keys:
            secrets.remember(keys.secret_key, keys.token)
            self._seen = seen = keys, _usable(keys, found.method)
        return seen[1]


def _usable(keys: ReadOnlyCredentials, method: str) -> ReadOnlyCredentials:
    """The keys without the white space around them that a file or a Kubernetes Secret may have.

    :raises UnusableCredentialsError: one of them can't stand in a request's header
    """
    parts = {"access key": keys.access_key, "secret key": keys.secret_key, "session token": keys.token}
    stripped = {name: value.strip() for name, value in parts.items() if value is not None}
    for name, value in stripped.items():
        if not (value.isascii() and value.isprintable()) or " " in value:
            where = next(at for at, c in enumerate(value) if not (c.isascii() and c.isprintable()) or c == " ")
            fault = f"its {name} has a character that none can have, at position {where + 1} of {len(value)}"
            raise UnusableCredentialsError(provider=method, error_msg=fault)
    return ReadOnlyCredentials(
        stripped["access key"], stripped["secret key"], stripped.get("session token") or None, keys.account_id
    )
