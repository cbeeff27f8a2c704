"""Makes IAM policies of permissions: one for each principal, and a trust policy for each role. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from processor.commands.policy import arns, principals
from processor.commands.policy.arns import ResourceArns
from processor.commands.policy.permissions import Permission, Resource, Side
from processor.commands.policy.principals import Principal
from processor.settings.settings import Settings

_VERSION = "2012-10-17"  # of the policy language, not of a policy
FIRST_START = "FirstStart"


class Policy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one principal must be allowed; ``used_for`` is empty if it only assumes roles.

    :param role_arn: the principal, if it is a role; ``profile``, if it is a profile; with neither, the usual
        credentials
    :param trust_policy: who may assume the role
    """

    role_arn: str | None
    profile: str | None
    used_for: list[Side]
    policy: dict[str, Any]
    trust_policy: dict[str, Any] | None


def make(
    settings: Settings,
    rows: Sequence[Permission],
    found: ResourceArns,
    callers: Mapping[Principal, str],
    *,
    tags_sessions: bool = False,
) -> list[Policy]:
    """Every policy that has a statement.

    :param callers: the ARN of each principal that is not a role
    :param tags_sessions: whether roles are assumed by a session whose tags are passed on to theirs
    """
    made = []
    assume = ["sts:AssumeRole", *(["sts:TagSession"] if tags_sessions else [])]
    used = {row.side for row in rows}
    for principal, sides in principals.sides(settings).items():
        statements = list(_statements([row for row in rows if row.side in sides], settings, found))
        if principal.role_arn is None and (roles := principals.assumed_by(settings, principal, used)):
            statements.append({"Sid": "AssumeRoles", "Effect": "Allow", "Action": assume, "Resource": roles})
        trust = (
            None if principal.role_arn is None else _trust(settings, principal.role_arn, callers, tags=tags_sessions)
        )
        if statements:
            policy = {"Version": _VERSION, "Statement": statements}
            made.append(
                Policy(
                    role_arn=principal.role_arn,
                    profile=principal.profile,
                    used_for=sides,
                    policy=policy,
                    trust_policy=trust,
                )
            )
    return made


def _statements(rows: Iterable[Permission], settings: Settings, found: ResourceArns) -> Iterable[dict[str, Any]]:
    """Resources share a statement only if actions and condition are the same, so nothing else is allowed."""
    always: dict[Resource, set[str]] = {}
    first: dict[Resource, set[str]] = {}
    for row in rows:
        (first if row.first_start else always).setdefault(row.resource, set()).update(row.actions)
    for suffix, actions_of in (("", always), (FIRST_START, first)):
        shared: dict[tuple[tuple[str, ...], str], list[Resource]] = {}
        for resource, actions in actions_of.items():
            condition = arns.condition_of(resource, settings, found)
            shared.setdefault((tuple(sorted(actions)), repr(condition)), []).append(resource)
        for (actions_shared, _), resources in shared.items():
            statement: dict[str, Any] = {
                "Sid": "".join(resources) + suffix,
                "Effect": "Allow",
                "Action": list(actions_shared),
                "Resource": [arns.arn_of(resource, settings, found) for resource in resources],
            }
            if condition := arns.condition_of(resources[0], settings, found):
                statement["Condition"] = condition
            yield statement


def _trust(
    settings: Settings, role_arn: str, callers: Mapping[Principal, str], *, tags: bool = False
) -> dict[str, Any]:
    statements = []
    for principal, external_id in principals.assumers(settings, role_arn):
        allowed: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": callers[principal]}}
        statement = allowed | {"Action": "sts:AssumeRole"}
        if external_id is not None:
            statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
        statements.append(statement)
        if tags:
            statements.append(allowed | {"Action": "sts:TagSession"})  # by itself it gives no access
    return {"Version": _VERSION, "Statement": statements}
