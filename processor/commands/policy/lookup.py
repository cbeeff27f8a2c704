"""Looks up the parts of a policy's ARNs that only AWS knows: accounts and existing tables; or notes what it can't."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from processor.aws.clients import Clients
from processor.aws.errors import aws_errors
from processor.aws.sessions import partition_of
from processor.commands.policy import principals
from processor.commands.policy.arns import NO_ACCOUNT, ResourceArns, table_arn
from processor.commands.policy.permissions import Side
from processor.commands.policy.principals import Principal
from processor.dynamodb.describe import described
from processor.errors import RefusedError, UnavailableError
from processor.metrics import heartbeat
from processor.settings.s3_location import S3Location

if TYPE_CHECKING:
    from processor.settings.identity import Identity
    from processor.settings.settings import Settings

T = TypeVar("T")

_LOOKING = "Looking it up"

_ANYBODY = f"arn:aws:iam::{NO_ACCOUNT}:role/ROLE"


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are, who calls, and what the reader must fill in."""

    arns: ResourceArns
    callers: dict[Principal, str]
    notes: list[str]


def look(settings: Settings, clients: Clients, *, caller: str | None, exported: S3Location | None) -> Lookup:
    """Ask for everything that AWS knows, in parallel.

    :param caller: the ARN of the program's identity, if it is not that of whoever runs this command
    """
    notes: list[str] = []
    bases = [principal for principal in principals.sides(settings) if principal.role_arn is None]

    def who(principal: Principal) -> str | None:
        if principal.profile is None and caller is not None:
            return caller
        arn = _attempt(notes, f"who has {principal.shown}", lambda: clients.caller(principal.profile))
        return None if arn is None else _with_path(arn, notes, lambda name: clients.role(name, principal.profile))

    def describe(side: str) -> dict[str, Any] | None:
        client = clients.source if side == "source" else clients.destination
        name = settings.source_table if side == "source" else settings.destination_table
        region = settings.source_region if side == "source" else settings.destination_region
        what = f"{side} table {name} in {region}"
        return _attempt(notes, what, lambda: described(client(), name, call=_LOOKING).table)

    with ThreadPoolExecutor(len(bases) + 2) as pool:
        asked = {principal: pool.submit(who, principal) for principal in bases}
        source, destination = pool.map(describe, ("source", "destination"))
        callers = {principal: future.result() for principal, future in asked.items()}
    made = _TableArns(settings, callers)
    found = ResourceArns(
        source_table=(source or {}).get("TableArn") or made.table("source"),
        destination_table=(destination or {}).get("TableArn") or made.table("destination"),
        task_tables=made.table("task"),
        exported=exported,
        heartbeat_key=heartbeat_key(settings, source),
    )
    if settings.heartbeat_seconds is not None and found.heartbeat_key is None:
        notes.append(
            "The heartbeat: IAM can hold its PutItem to its own key only where the source's partition key is a string, "
            "and known. So HeartbeatItem allows to put any item; leave heartbeatSeconds out where that is too much."
        )
    notes += [*keys_of(source, destination), *made.notes(found)]
    return Lookup(arns=found, callers={each: principal_of(arn) for each, arn in callers.items()}, notes=notes)


def _attempt(notes: list[str], what: str, call: Callable[[], T]) -> T | None:
    try:
        with aws_errors(_LOOKING):
            return call()
    except (UnavailableError, RefusedError) as exc:
        notes.append(f"{what[:1].upper()}{what[1:]}: could not be looked up ({exc}).")
        return None


def _with_path(arn: str, notes: list[str], role: Callable[[str], str]) -> str:
    """A role instead of its session, with its path, which STS omits; any other caller as he is.

    :param role: asks IAM for a role's ARN, by its name
    """
    without = principal_of(arn)
    if without == arn:
        return arn
    name = without.rpartition("/")[2]
    found = _attempt(notes, f"whether role {name} has a path", lambda: role(name))
    if found is None:
        notes.append(
            f"The trust policies name {without}. Where that role has a path, IAM refuses them: give the role's whole "
            "ARN with --caller."
        )
    return found or without


def heartbeat_key(settings: Settings, source: Mapping[str, Any] | None) -> str | None:
    """The heartbeat's partition key, if it is a string."""
    if source is None:
        return None
    name = next(part["AttributeName"] for part in source["KeySchema"] if part["KeyType"] == "HASH")
    types = {part["AttributeName"]: part["AttributeType"] for part in source["AttributeDefinitions"]}
    return heartbeat.key({name: types[name]}, settings.task_name)[name].get("S")


def keys_of(*tables: Mapping[str, Any] | None) -> Iterator[str]:
    """A note for each table that is encrypted by KMS, by DescribeTable."""
    for table in tables:
        key = (table or {}).get("SSEDescription", {}).get("KMSMasterKeyArn")
        if table and key:
            yield (
                f"Table {table['TableName']}: is encrypted with KMS key {key}. If that is a key of your own, whoever "
                "uses the table must be allowed to use it, too (kms:Decrypt and kms:DescribeKey, by its key policy)."
            )


class _TableArns:
    """The tables' ARNs, made from regions and accounts.

    :param callers: by STS, the owners of the credentials with which roles are assumed
    """

    def __init__(self, settings: Settings, callers: Mapping[Principal, str | None]) -> None:
        self._settings = settings
        self._callers = callers

    def table(self, side: Side) -> str:
        """The ARN of a side's table; for the task, the beginning of its tables' ARNs."""
        settings = self._settings
        region, name = {
            "source": (settings.source_region, settings.source_table),
            "destination": (settings.destination_region, settings.destination_table),
            "task": (settings.kcl_region, ""),
        }[side]
        identity = principals.identities(settings)[side]
        return table_arn(self._partition(identity, region), region, self._account(identity), name)

    def _partition(self, identity: Identity, region: str) -> str:
        return (identity.role_arn or "").split(":")[1] if identity.role_arn else partition_of(region)

    def _account(self, identity: Identity) -> str | None:
        arn = identity.role_arn or self._callers[principals.base_of(identity)]
        return arn.split(":")[4] if arn else None

    def notes(self, found: ResourceArns) -> Iterator[str]:
        """Notes about what the reader must fill in."""
        if any(NO_ACCOUNT in arn for arn in (found.source_table, found.destination_table, found.task_tables)):
            yield f"The account's number could not be known: put it in the place of {NO_ACCOUNT}."
        for principal, arn in self._callers.items():
            if not principals.assumed_by(self._settings, principal):
                continue
            if arn is None:
                yield (
                    f"Who assumes the roles could not be known: give its ARN with --caller, or in place of {_ANYBODY}."
                )
            else:
                yield (
                    f"The trust policies let {principal_of(arn)} assume the roles, which is who has {principal.shown} "
                    "here. Where the program runs as another, give that one's ARN with --caller."
                )


def principal_of(arn: str | None) -> str:
    """The principal for a trust policy: for a role's session, the role, without a path, which an STS ARN omits."""
    if arn is None:
        return _ANYBODY
    session = re.fullmatch(r"arn:([^:]+):sts::(\d{12}):assumed-role/([^/]+)/.*", arn)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn
