"""IAM, as far as this program's policies go: who signs with which key, and what his policies allow.

An action is allowed where a statement of the principal's policies names it, its resource and, if it has a condition,
values that meet it; all else is denied, as AWS has it. A role is assumed where the caller's policies allow it, and the
role's trust policy lets this caller in.
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Policy = Mapping[str, Any]
_NONE: Mapping[str, str] = {}


class Call(NamedTuple):
    """What somebody did: ``principal`` is the name that the test gave him."""

    principal: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A user or a role; ``trust`` says who may assume the role."""

    name: str
    arn: str
    policies: tuple[Policy, ...] = ()
    trust: Policy | None = None


@dataclass
class Authority:
    """Every principal by his access key, the roles by their ARNs, and what was asked for so far."""

    keys: dict[str, Principal] = field(default_factory=dict)
    roles: dict[str, Principal] = field(default_factory=dict)
    allowed: set[Call] = field(default_factory=set)
    denied: set[Call] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def user(self, access_key: str, principal: Principal) -> None:
        """Let somebody sign with that key."""
        self.keys[access_key] = principal

    def role(self, principal: Principal) -> None:
        """Let a role be assumed."""
        self.roles[principal.arn] = principal

    def check(
        self, access_key: str, wanted: Iterable[tuple[str, str]], context: Mapping[str, str] = _NONE
    ) -> Call | None:
        """Note what is asked for.

        :param wanted: every action that the request is, each with its resource
        :param context: condition keys with the request's values
        :returns: the first that is not allowed
        """
        principal = self.keys.get(access_key) or Principal(name=f"key {access_key}", arn="nobody")
        with self._lock:
            for action, resource in wanted:
                call = Call(principal.name, action, resource)
                if not any(allows(policy, action, resource, context) for policy in principal.policies):
                    self.denied.add(call)
                    return call
                self.allowed.add(call)
        return None

    def assume(self, access_key: str, role_arn: str, context: Mapping[str, str]) -> Call | None:
        """As ``check``, of AssumeRole."""
        denied = self.check(access_key, [("sts:AssumeRole", role_arn)], context)
        if denied is not None:
            return denied
        caller, role = self.keys[access_key], self.roles.get(role_arn)
        if role is None or role.trust is None or not trusts(role.trust, caller.arn, context):
            with self._lock:
                self.denied.add(Call(caller.name, "sts:AssumeRole", role_arn))
            return Call(caller.name, "sts:AssumeRole", role_arn)
        return None

    def calls_of(self, principal: str) -> set[tuple[str, str]]:
        """What one of them did: actions and resources."""
        return {(call.action, call.resource) for call in self.allowed if call.principal == principal}


def allows(policy: Policy, action: str, resource: str, context: Mapping[str, str] = _NONE) -> bool:
    """Whether one statement of an identity's policy does."""
    return any(
        statement["Effect"] == "Allow"
        and action in _listed(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in _listed(statement["Resource"]))
        and _is_met(statement.get("Condition", {}), context)
        for statement in policy["Statement"]
    )


def trusts(policy: Policy, caller: str, context: Mapping[str, str]) -> bool:
    """Whether one statement of a role's trust policy lets the caller in."""
    return any(
        statement["Effect"] == "Allow"
        and "sts:AssumeRole" in _listed(statement["Action"])
        and caller in _listed(statement["Principal"]["AWS"])
        and _is_met(statement.get("Condition", {}), context)
        for statement in policy["Statement"]
    )


def _is_met(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        _OPERATORS[operator](context.get(key), _listed(value))
        for operator, wanted in condition.items()
        for key, value in wanted.items()
    )


def _is_one_of(value: str | None, wanted: list[str]) -> bool:
    return value in wanted


def _is_like(value: str | None, wanted: list[str]) -> bool:
    return value is not None and any(fnmatch.fnmatchcase(value, pattern) for pattern in wanted)


# Whether a request's value, None where it has none, meets a condition.
_OPERATORS = {
    "StringEquals": _is_one_of,
    "ForAllValues:StringEquals": _is_one_of,
    "StringLike": _is_like,
    "StringLikeIfExists": lambda value, wanted: value is None or _is_like(value, wanted),
}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
