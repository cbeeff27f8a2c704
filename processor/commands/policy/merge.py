"""Merges the policies of several tasks into one for each principal, and knows how large AWS lets them be. Pure.

Two statements with the same actions become one where that allows nothing else: with the same condition, of both's
resources; on the same resources, of both's values of a condition on one key that has one value in each request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from processor.commands.policy.documents import Policy
from processor.commands.policy.principals import SIDES, Principal

# IAM's quotas, in characters without white space (IAM user guide, IAM and AWS STS quotas). Inline policies of one role
# count together. A trust policy's quota can be raised to 4096.
MANAGED = 6_144
INLINE_OF_ROLE = 10_240
TRUST = 2_048
# Operators whose values are alternatives. Not ForAllValues:...: it is about requests that have several values.
_ALTERNATIVES = frozenset({"StringEquals", "StringLike"})

Statement = dict[str, Any]


def merged(policies: Iterable[Policy]) -> list[Policy]:
    """One policy, and one trust policy, for each principal, in the order in which they appear."""
    groups: dict[Principal, list[Policy]] = {}
    for policy in policies:
        groups.setdefault(Principal(role_arn=policy.role_arn, profile=policy.profile), []).append(policy)
    return [group[0] if len(group) == 1 else _one(group) for group in groups.values()]


def _one(group: Sequence[Policy]) -> Policy:
    used = {side for policy in group for side in policy.used_for}
    trust = [policy.trust_policy for policy in group if policy.trust_policy is not None]
    return msgspec.structs.replace(
        group[0],
        used_for=[side for side in SIDES if side in used],
        policy=_document([policy.policy for policy in group]),
        trust_policy=_trust(trust) if trust else None,
    )


def _document(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    statements: list[Statement] = []
    for statement in (each for document in documents for each in document["Statement"]):
        _add(statements, statement)
    return documents[0] | {"Statement": list(_with_names_of_their_own(statements))}


def _trust(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    statements: list[Statement] = []
    for statement in (each for document in documents for each in document["Statement"]):
        if statement not in statements:
            statements.append(statement)
    return documents[0] | {"Statement": statements}


def _add(statements: list[Statement], new: Statement) -> None:
    """Into one that is there, or beside them."""
    for number, old in enumerate(statements):
        if (together := _together(old, new)) is not None:
            statements[number] = together
            return
    statements.append(new)


def _together(old: Statement, new: Statement) -> Statement | None:
    """One statement that allows what these two do, and nothing else; None if there is none."""
    if _kind(old) != _kind(new):
        return None
    if old.get("Condition") == new.get("Condition"):
        return old | {"Resource": _union(old["Resource"], new["Resource"])}
    if set(old["Resource"]) == set(new["Resource"]):
        condition = _alternatives(old.get("Condition", {}), new.get("Condition", {}))
        return None if condition is None else old | {"Condition": condition}
    return None


def _kind(statement: Statement) -> tuple[Any, ...]:
    return statement["Sid"], statement["Effect"], statement["Action"]


def _alternatives(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any] | None:
    """A condition that is true where either is, if they differ in the values of one key."""
    flat_old, flat_new = _flat(old), _flat(new)
    differing = {key for key in {*flat_old, *flat_new} if flat_old.get(key) != flat_new.get(key)}
    if len(differing) != 1:
        return None
    ((operator, key),) = differing
    if operator not in _ALTERNATIVES or (operator, key) not in flat_old or (operator, key) not in flat_new:
        return None
    values = _union(flat_old[operator, key], flat_new[operator, key])
    return old | {operator: old[operator] | {key: values}}


def _flat(condition: dict[str, dict[str, Any]]) -> dict[tuple[str, str], Any]:
    return {(operator, key): value for operator, keys in condition.items() for key, value in keys.items()}


def _union(old: str | list[str], new: str | list[str]) -> list[str]:
    both = [*([old] if isinstance(old, str) else old), *([new] if isinstance(new, str) else new)]
    return list(dict.fromkeys(both))


def _with_names_of_their_own(statements: Iterable[Statement]) -> Iterator[Statement]:
    """A policy's statements must have different names."""
    seen: dict[str, int] = {}
    for statement in statements:
        name = statement["Sid"]
        seen[name] = seen.get(name, 0) + 1
        yield statement if seen[name] == 1 else statement | {"Sid": f"{name}{seen[name]}"}


def size(document: dict[str, Any]) -> int:
    """In characters, as IAM counts: without white space."""
    return len(re.sub(r"\s", "", msgspec.json.encode(document).decode()))


def all_oversize(policies: Iterable[Policy]) -> Iterator[str]:
    """What AWS will not take of them, in sentences."""
    for policy in policies:
        yield from oversize(policy)


def oversize(policy: Policy) -> Iterator[str]:
    """What AWS will not take of it, in sentences."""
    who = Principal(role_arn=policy.role_arn, profile=policy.profile).shown
    if (characters := size(policy.policy)) > MANAGED:
        can_be_inline = policy.role_arn is not None and characters <= INLINE_OF_ROLE
        inline = f", and inline policies of a role {INLINE_OF_ROLE:,}" if can_be_inline else ""
        yield (
            f"The policy of {who} has {characters:,} characters without white space; a managed policy takes {MANAGED:,}"
            f"{inline}. Print the policies of fewer tasks at once, or of each (--split), and attach several."
        )
    if policy.trust_policy is not None and (characters := size(policy.trust_policy)) > TRUST:
        yield (
            f"The trust policy of {who} has {characters:,} characters without white space, and a role takes {TRUST:,}, "
            "or 4,096 if AWS has raised that. Give groups of tasks roles of their own."
        )
