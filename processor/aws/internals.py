"""All access to private members of botocore and urllib3. No other module uses any.

Each member is checked before its first use: does it exist, and is it as in the releases that requirements.in allows? If
not, the library's public way is used instead, which costs more or limits less, and a message says so once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botocore.httpsession import get_cert_path

from processor.reporting import changed_libraries

# Purpose -> the member's name in the library.
MEMBERS = {
    "a client's endpoint": "_endpoint",
    "a client's signer": "_request_signer",
    "a signer's credentials": "_credentials",
    "a client's user agent": "_user_agent_creator",
    "a client's endpoint rules": "_resolve_endpoint_ruleset",
    "a client's calls": "_make_api_call",
    "a session's TLS": "_get_ssl_context",
    "a session's authorities": "_verify",
    "a session's pools": "_manager",
    "a session's kinds of pools": "_pool_classes_by_scheme",
    "taking a connection": "_get_conn",
    "giving a connection back": "_put_conn",
    "an answer's pool": "_pool",
    "a container's fetcher": "_fetcher",
    "an instance's fetcher": "_role_fetcher",
    "a fetcher's session": "_session",
    "a session's timeout": "_timeout",
}


class ChangedLibraryError(Exception):
    """A member is missing, or not what it was."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{MEMBERS[what]} ({what})")


def _member(owner: Any, what: str, *, is_as_it_was: Callable[[Any], bool] = lambda _: True) -> Any:
    """:raises ChangedLibraryError: it is not as it was"""
    try:
        found = getattr(owner, MEMBERS[what])
    except AttributeError as exc:
        raise ChangedLibraryError(what) from exc
    if not is_as_it_was(found):
        raise ChangedLibraryError(what)
    return found


def say(error: ChangedLibraryError, instead: str) -> None:
    """Report once in this process that a member has changed, and what is done instead."""
    changed_libraries.say("botocore, urllib3", str(error), instead=instead)


class DirectParts(NamedTuple):
    """The parts of a client that its calls need: HTTP session, credentials, user agent, URL for a call."""

    session: Any
    credentials: Any
    agent: str
    endpoint: str


def direct_parts(client: Any, operation: str, parameters: Mapping[str, Any]) -> DirectParts:
    """The parts with which a call can be made without the client.

    :raises ChangedLibraryError: they can't be reached
    """
    model, config = client.meta.service_model, client.meta.config
    resolve = _member(client, "a client's endpoint rules", is_as_it_was=callable)
    agent = _member(client, "a client's user agent", is_as_it_was=lambda found: hasattr(found, "to_string"))
    context = {"client_region": client.meta.region_name, "client_config": config}
    try:
        endpoint, *_ = resolve(model.operation_model(operation), dict(parameters), context)
    except (TypeError, ValueError) as exc:
        raise ChangedLibraryError("a client's endpoint rules") from exc
    if not isinstance(endpoint, str):
        raise ChangedLibraryError("a client's endpoint rules")
    signer = _member(client, "a client's signer")
    usable = lambda found: found is None or hasattr(found, "get_frozen_credentials")  # noqa: E731
    credentials = _member(signer, "a signer's credentials", is_as_it_was=usable)
    return DirectParts(http_session(client), credentials, agent.to_string(), endpoint)


def http_session(client: Any) -> Any:
    """The HTTP session that sends a client's requests.

    :raises ChangedLibraryError: it can't be reached
    """
    endpoint = _member(client, "a client's endpoint", is_as_it_was=lambda found: hasattr(found, "http_session"))
    return endpoint.http_session


def signing_region(client: Any) -> str:
    """The region for which a client's calls are signed: with STS's legacy endpoints, not always its own."""
    try:
        signer = _member(client, "a client's signer", is_as_it_was=lambda found: hasattr(found, "region_name"))
    except ChangedLibraryError as exc:
        say(exc, "Calls of the daemon to STS are signed for the region of the client.")
        return str(client.meta.region_name)
    return str(signer.region_name)


def pool_of(answer: Any) -> Any:
    """The pool of an answer's connection, or None if it is unknown, so that each call opens a connection."""
    try:
        pool = _member(answer.raw, "an answer's pool")
        if pool is not None:
            for what in ("taking a connection", "giving a connection back"):
                _member(pool, what, is_as_it_was=callable)
    except ChangedLibraryError as exc:
        say(exc, "Each call is made by botocore's session, which costs more CPU.")
        return None
    return pool


def take_connection(pool: Any) -> Any:
    """An open connection of a pool from ``pool_of``, or a new one that isn't open yet."""
    return getattr(pool, MEMBERS["taking a connection"])()


def give_back(pool: Any, connection: Any) -> None:
    """Return a connection to its pool."""
    getattr(pool, MEMBERS["giving a connection back"])(connection)


def authorities(session: Any) -> str | None:
    """The file of certificate authorities that a session's connections load; None where they look at no certificate.

    :raises ChangedLibraryError: it can't be had
    """
    asked = _member(session, "a session's authorities", is_as_it_was=lambda found: isinstance(found, (bool, str)))
    return get_cert_path(asked) if asked else None


def make_context_by(session: Any, made: Callable[[Callable[[], Any]], Any]) -> None:
    """Let a session, before its first use, make TLS contexts with ``made``, which receives the session's own function.

    :raises ChangedLibraryError: it can't be done, and nothing was changed
    """
    make = _member(session, "a session's TLS", is_as_it_was=callable)
    keywords = lambda found: isinstance(getattr(found, "connection_pool_kw", None), dict)  # noqa: E731
    manager = _member(session, "a session's pools", is_as_it_was=keywords)
    setattr(session, MEMBERS["a session's TLS"], lambda: made(make))  # of proxies
    manager.connection_pool_kw["ssl_context"] = made(make)


def use_pools(session: Any, pools: Mapping[str, type]) -> None:
    """Let a session, and its proxy managers, open connections in these pools.

    :param pools: by scheme
    :raises ChangedLibraryError: it can't be done, and nothing was changed
    """
    same = lambda found: isinstance(found, dict) and found.keys() == pools.keys()  # noqa: E731
    kinds = _member(session, "a session's kinds of pools", is_as_it_was=same)
    kinds.update(pools)


def wrap_calls(client: Any, wrapped: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Make each of a client's calls with ``wrapped``, which receives the client's own function.

    :raises ChangedLibraryError: it can't be done, and nothing was changed
    """
    make = _member(client, "a client's calls", is_as_it_was=callable)
    setattr(client, MEMBERS["a client's calls"], wrapped(make))


def metadata_fetchers(resolver: Any) -> tuple[Any, Any]:
    """The objects that ask a container's and an instance's metadata service for credentials.

    :param resolver: botocore's credential providers
    :raises ChangedLibraryError: they can't be reached
    """
    asks_container = lambda found: callable(getattr(found, "retrieve_full_uri", None))  # noqa: E731
    asks_instance = lambda found: callable(getattr(found, "retrieve_iam_role_credentials", None))  # noqa: E731
    return (
        _member(resolver.get_provider("container-role"), "a container's fetcher", is_as_it_was=asks_container),
        _member(resolver.get_provider("iam-role"), "an instance's fetcher", is_as_it_was=asks_instance),
    )


def fetcher_session(fetcher: Any) -> tuple[Any, float]:
    """A fetcher's HTTP session, and the seconds that each of its steps may take.

    :raises ChangedLibraryError: they can't be reached
    """
    session = _member(fetcher, "a fetcher's session", is_as_it_was=lambda found: callable(getattr(found, "send", None)))
    is_number = lambda found: isinstance(found, (int, float))  # noqa: E731
    return session, _member(session, "a session's timeout", is_as_it_was=is_number)
