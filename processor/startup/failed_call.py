"""Turns a failed call into a finding for a start: which object, what is wrong, and which setting to check."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from processor.aws.errors import REJECTED_CREDENTIALS
from processor.aws.lasting import lasts
from processor.errors import CredentialsError, NotFoundError, RefusedError, RoleError, UnavailableError
from processor.reporting.findings import Cause, Finding, error
from processor.settings.identity import Identity

if TYPE_CHECKING:
    from processor.settings.settings import Settings

_UNUSABLE = "It can't be used"


class Who(NamedTuple):
    """The identity for which a call is made: ``side`` is source, destination or task, as the task's file has it."""

    side: str
    identity: Identity
    endpoint: str = "Endpoint"  # the ending of its endpoint setting's name

    @classmethod
    def of_source(cls, settings: Settings) -> Who:
        """Who reads the table."""
        return cls(settings.source_side, settings.source_identity)

    @classmethod
    def of_stream(cls, settings: Settings) -> Who:
        """Who reads its stream; an uplink's has no endpoint of its own."""
        who = cls.of_source(settings)
        return who if settings.direction == "uplink" else who._replace(endpoint="StreamsEndpoint")

    @classmethod
    def of_destination(cls, settings: Settings) -> Who:
        """Who writes the table."""
        return cls(settings.destination_side, settings.destination_identity)

    @classmethod
    def of_task(cls, settings: Settings) -> Who:
        """Who keeps checkpoints and dead letters."""
        return cls("task", settings.task_identity)

    @property
    def prefix(self) -> str:
        """The beginning of its settings' names."""
        return "kcl" if self.side == "task" else self.side


def cause_of(exc: UnavailableError | RefusedError, identity: Identity) -> Cause:
    """The cause: whether a person must do something, or it may pass."""
    return "answer" if lasts(exc, identity) else "outage"


def attempt(what: str, call: Callable[[], object], who: Who) -> list[Finding]:
    """Make the call; returns a finding if it fails, and None if it works."""
    try:
        call()
    except (UnavailableError, RefusedError) as exc:
        return [finding_of(what, exc, who)]
    except (AttributeError, KeyError, TypeError, ValueError) as exc:  # the answer lacks a part that AWS's answers have
        remedy = f"See what answers at {who.prefix}{who.endpoint} (a proxy?)"
        value = f"was described by an answer that is not AWS's ({type(exc).__name__}: {exc})"
        return [error("answer-not-aws", what, value, "Nothing is known of it", remedy, cause="outage")]
    return []


def finding_of(what: str, exc: UnavailableError | RefusedError, who: Who) -> Finding:
    """The finding for a failure.

    :param what: the object, for people
    """
    name, value, consequence, remedy = _words(exc, who)
    return error(name, what, value, consequence, remedy, cause=cause_of(exc, who.identity))


def _words(exc: UnavailableError | RefusedError, who: Who) -> tuple[str, str, str, str]:
    """The finding's id, value, consequence and remedy."""
    places = f"{who.prefix}{who.endpoint}, {who.prefix}Region"
    if isinstance(exc, RoleError):
        role = f"{who.prefix}Role"
        remedy = (
            f"Check {role}Arn, that the role's trust policy lets the caller in ({role}ExternalId is the "
            "external id that it may want), and that the caller may call sts:AssumeRole; AWS's words above name both"
        )
        value = f"{who.identity.shown} can't be assumed for the {who.side} ({exc})"
        return "role-not-assumed", value, _UNUSABLE, remedy
    if isinstance(exc, CredentialsError):
        return _no_rights(exc, who)
    if isinstance(exc, RefusedError):
        return "name-refused", f"can't be asked for ({exc})", _UNUSABLE, f"Check its name, {places}"
    if isinstance(exc, NotFoundError):
        made = "; with createDestination=true copy does" if who.side == "destination" else ""
        remedy = f"Check name, region, account and endpoint, or create it{made}"
        return "table-missing", "does not exist", "There is nothing to replicate from or to", remedy
    remedy = f"Check {places} and the network from this machine"
    return "unreachable", f"can't be reached ({exc})", _UNUSABLE, remedy


def _no_rights(exc: CredentialsError, who: Who) -> tuple[str, str, str, str]:
    shown = f"the {who.side}'s {who.identity.shown}"
    if exc.code in REJECTED_CREDENTIALS:
        value = f"not allowed to {shown} ({exc})"
        remedy = "Give credentials, or a role, that may make this call; AWS's words above name the call and who made it"
        return "not-allowed", value, _UNUSABLE, remedy
    if not lasts(exc, who.identity):
        remedy = "See whether what gives them out answers: instance or container metadata, STS, or credential_process"
        return "credentials-not-fetched", f"{shown} can't be fetched now ({exc})", _UNUSABLE, remedy
    profile = "" if who.side == "task" else f" or {who.side}Profile"
    remedy = f"Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE{profile}, or run it where a role gives them"
    return "credentials-missing", f"{shown} can't be found, or used ({exc})", _UNUSABLE, remedy
