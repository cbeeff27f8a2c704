"""The principals of the policies: the task's three identities, of which two may be the same. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from processor.commands.policy.permissions import Side
from processor.settings.identity import Identity
from processor.settings.settings import Settings

SIDES: tuple[Side, ...] = ("source", "destination", "task")


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A role, a profile's credentials, or with neither the usual credentials."""

    role_arn: str | None = None
    profile: str | None = None

    @property
    def shown(self) -> str:
        """For people."""
        if self.role_arn is not None:
            return f"role {self.role_arn}"
        return f"profile {self.profile}" if self.profile else "our own credentials"


def identities(settings: Settings) -> Mapping[Side, Identity]:
    """Each side's identity."""
    return {
        "source": settings.source_identity,
        "destination": settings.destination_identity,
        "task": settings.task_identity,
    }


def of(identity: Identity) -> Principal:
    """The principal that makes an identity's calls."""
    return Principal(role_arn=identity.role_arn) if identity.role_arn else base_of(identity)


def base_of(identity: Identity) -> Principal:
    """The principal with whose credentials an identity begins: it assumes the identity's role, if there is one."""
    return Principal(profile=identity.profile)


def sides(settings: Settings) -> dict[Principal, list[Side]]:
    """Every principal with its uses; first those that assume the others, even if they are used only for that."""
    found: dict[Principal, list[Side]] = {base_of(identity): [] for identity in identities(settings).values()}
    for side, identity in identities(settings).items():
        found.setdefault(of(identity), []).append(side)
    return found


def assumed_by(settings: Settings, base: Principal, sides: Collection[Side] = SIDES) -> list[str]:
    """The roles that a principal must be allowed to assume, for what is done on these sides."""
    used = [identity for side, identity in identities(settings).items() if side in sides]
    return sorted({each.role_arn for each in used if each.role_arn and base_of(each) == base})


def assumers(settings: Settings, role_arn: str) -> list[tuple[Principal, str | None]]:
    """Who assumes a role, each with the external id that it gives."""
    found = [each for each in identities(settings).values() if each.role_arn == role_arn]
    return list(dict.fromkeys((base_of(each), each.external_id) for each in found))
