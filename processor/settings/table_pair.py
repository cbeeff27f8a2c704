"""Describes the two tables of a task for people: ARN with account and region, and how much they hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from processor.settings.settings import Settings

Role = Literal["source", "destination"]


class TableIdentity(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which table it is.

    :param arn: empty if the store has none
    :param endpoint: None for AWS's own
    :param items: as DescribeTable last counted them, every six hours or so; ``size_bytes`` too
    """

    role: Role
    table: str
    region: str
    arn: str = ""
    endpoint: str | None = None
    items: int = 0
    size_bytes: int = 0

    @property
    def account(self) -> str:
        """The account's number; empty if it is not known."""
        return self.arn.split(":")[4] if self.arn.count(":") > 4 else ""  # noqa: PLR2004  # arn:aws:dynamodb:region:account:

    @property
    def shown(self) -> str:
        """For people, in a line."""
        account = f", account {self.account}" if self.account else ""
        at = f" at {self.endpoint}" if self.endpoint else ""
        return f"{self.role:11}  {self.table} in {self.region}{account}{at} ({self.arn or 'no ARN'})"


def table_identity(settings: Settings, role: Role, description: Mapping[str, Any] | None) -> TableIdentity:
    """A side's table.

    :param description: ``Table`` of DescribeTable's answer, or None if it does not exist yet
    """
    found = description or {}
    is_source = role == "source"
    return TableIdentity(
        role=role,
        table=settings.source_table if is_source else settings.destination_table,
        region=settings.source_region if is_source else settings.destination_region,
        endpoint=settings.source_endpoint if is_source else settings.destination_endpoint,
        arn=found.get("TableArn", ""),
        items=int(found.get("ItemCount", 0)),
        size_bytes=int(found.get("TableSizeBytes", 0)),
    )
