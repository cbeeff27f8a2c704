"""The identity with which a call is made: a profile's or the usual credentials, or a role that these assume. Pure."""

from __future__ import annotations

import msgspec

# The session name, which CloudTrail shows beside each call.
SESSION_NAME = "dynamodb-replicator"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """An identity. Without profile and role, it is whatever the AWS SDKs find in their usual places.

    :param sts_region: the region in which the role is asked for; None for the caller's own region
    """

    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    session_name: str = SESSION_NAME
    sts_region: str | None = None

    @property
    def shown(self) -> str:
        """For people, as in "the source's ..."."""
        if self.role_arn is None:
            return f"profile {self.profile}" if self.profile else "own credentials"
        return f"role {self.role_arn}" + (f" (by profile {self.profile})" if self.profile else "")

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn``, ``aws-us-gov`` and so on, by the role's ARN."""
        return self.role_arn.split(":")[1] if self.role_arn else "aws"


OWN = Identity()
