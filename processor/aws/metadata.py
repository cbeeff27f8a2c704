"""Limits and checks the answers of an instance's or a container's metadata service.

botocore asks these by HTTP sessions of its own, and believes every answer: an endless one filled the memory, and one
with a missing part or endless nesting raised an exception that no caller expects, so that a child ended. Here such an
answer means that credentials can't be fetched now (``MetadataRetrievalError``): that is reported, waited for, and
retried.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from botocore.exceptions import MetadataRetrievalError
from dateutil.parser import parse  # type: ignore[import-untyped]  # as botocore reads times by it

from processor.aws.connections import UNBOUND, bound_session
from processor.aws.errors import NotDynamoDBError
from processor.aws.internals import ChangedLibraryError, fetcher_session, metadata_fetchers, say

# Credentials have 2 KB; a session token has no limit, and is some 1 KB.
_MOST_BYTES = 64 * 1024
# For a whole request. botocore gives each step one second or metadata_service_timeout, and two seconds with a
# container's service.
_LEAST_SECONDS = 5.0
_CONTAINER_KEYS = ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")
_INSTANCE_KEYS = ("role_name", "access_key", "secret_key", "token", "expiry_time")
# What botocore raises if an answer has another form than it expects.
_SURPRISES = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)


def bound_metadata(resolver: Any) -> None:
    """Limit those of botocore's credential providers that ask metadata services; before their first request."""
    try:
        container, instance = metadata_fetchers(resolver)
        for fetcher in (container, instance):
            session, seconds = fetcher_session(fetcher)
            most = max(_LEAST_SECONDS, 2 * seconds)  # one step to connect, one for the answer
            bound_session(session, most, lambda _: _MOST_BYTES, whose="a metadata service's")
    except ChangedLibraryError as exc:
        say(exc, UNBOUND)
        return
    container.retrieve_full_uri = _looked_at(container.retrieve_full_uri, _CONTAINER_KEYS, or_none=False)
    instance.retrieve_iam_role_credentials = _looked_at(
        instance.retrieve_iam_role_credentials, _INSTANCE_KEYS, or_none=True
    )


def _looked_at(fetch: Callable[..., Any], keys: Collection[str], *, or_none: bool) -> Callable[..., Any]:
    """Wrap ``fetch`` so that its result is checked.

    :param keys: the members that credentials must have; the last one is their expiry
    :param or_none: whether ``fetch`` may also return nothing, if there are none
    """

    def fetch_and_look(*args: Any, **options: Any) -> Any:
        try:
            found = fetch(*args, **options)
            if found or not or_none:
                _check(found, keys)
        except NotDynamoDBError as exc:
            raise MetadataRetrievalError(error_msg=str(exc)) from exc
        except _SURPRISES as exc:  # its message may contain a part of the credentials
            raise MetadataRetrievalError(error_msg=f"what came are no credentials ({type(exc).__name__})") from None
        return found

    return fetch_and_look


def _check(found: Mapping[str, object], keys: Collection[str]) -> None:
    """Raise one of ``_SURPRISES`` if botocore, or signing with these credentials, would do so later."""
    *_, expiry = [found[key] for key in keys]
    for key in keys:
        if not isinstance(found[key], str):
            raise TypeError
    if parse(expiry).tzinfo is None:
        raise ValueError
