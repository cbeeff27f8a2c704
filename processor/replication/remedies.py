"""What mends writes that are delayed, by the kind of their failure. Pure.

The shard goes on by itself as soon as it is mended, so each is said beside the failure, in the log and in ``status``.
"""

from __future__ import annotations

from processor.errors import CredentialsError, NotFoundError, RoleError, ThrottledError, UnavailableError

# What botocore raises where no answer comes in the time that the lease leaves for a call.
_TIMEOUTS = frozenset({"ConnectTimeoutError", "ReadTimeoutError"})
_PASSES = "It passes by itself if this is the service's own trouble; else look at the way to it from this machine"


def advised(error: UnavailableError) -> str:
    """A failure's whole message, and what a person may do about it, as sentences."""
    return f"{str(error).rstrip('.')}. {of(error)}."


def of(error: UnavailableError) -> str:
    """What a person may do about it."""
    if isinstance(error, ThrottledError):
        return (
            "It passes by itself if this is a peak; else give the table, or the index that is named, more write "
            "capacity, or look for one key that is written all the time"
        )
    if isinstance(error, RoleError):
        return "See that the role is there, and that its trust policy lets this caller assume it"
    if isinstance(error, CredentialsError):
        return _of_credentials(is_denial=error.is_denial)
    if isinstance(error, NotFoundError):
        return "Restore it, or make it again with the source's key"
    if error.code in _TIMEOUTS:
        return f"{_PASSES}. Where it always takes longer than a quarter of failoverTimeMillis, raise that"
    return _PASSES


def _of_credentials(*, is_denial: bool) -> str:
    if is_denial:
        return "Allow that call: the command policy prints all that is needed"
    return "Renew the credentials where this daemon takes them from; those of environment variables need a restart"
