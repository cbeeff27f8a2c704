"""Whom the policies are for: the task's three identities, where two of them may be one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from processor.commands.policy.permissions import Side
from processor.settings.identity import Identity
from processor.settings.settings import Settings


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A role, or else what assumes roles: a profile's credentials, or with neither our own."""

    role_arn: str | None = None
    profile: str | None = None

    @property
    def shown(self) -> str:
        """For people."""
        if self.role_arn is not None:
            return f"role {self.role_arn}"
        return f"profile {self.profile}" if self.profile else "our own credentials"


def identities(settings: Settings) -> Mapping[Side, Identity]:
    """As whom each side is used."""
    return {
        "source": settings.source_identity,
        "destination": settings.destination_identity,
        "task": settings.task_identity,
    }


def of(identity: Identity) -> Principal:
    """Whose calls an identity's are."""
    return Principal(role_arn=identity.role_arn) if identity.role_arn else base_of(identity)


def base_of(identity: Identity) -> Principal:
    """Whose credentials an identity begins with: those that assume its role, if it has one."""
    return Principal(profile=identity.profile)


def sides(settings: Settings) -> dict[Principal, list[Side]]:
    """Every principal with what it is used for, those first that assume the others, if only for that."""
    found: dict[Principal, list[Side]] = {base_of(identity): [] for identity in identities(settings).values()}
    for side, identity in identities(settings).items():
        found.setdefault(of(identity), []).append(side)
    return found


def assumed_by(settings: Settings, base: Principal) -> list[str]:
    """The roles that it must be allowed to assume."""
    found = [each.role_arn for each in identities(settings).values() if each.role_arn and base_of(each) == base]
    return sorted(set(found))


def assumers(settings: Settings, role_arn: str) -> list[tuple[Principal, str | None]]:
    """Who assumes a role, each with the external id that it gives."""
    found = [each for each in identities(settings).values() if each.role_arn == role_arn]
    return list(dict.fromkeys((base_of(each), each.external_id) for each in found))
