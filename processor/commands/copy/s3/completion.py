"""Sets what an import leaves out of a table's definition, once the table is there. It can be repeated without harm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.dynamodb import table_spec
from processor.errors import RefusedError, UnavailableError
from processor.flow.waiter import Say, Waiter
from processor.reporting.findings import Finding, warning
from processor.startup import destination

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings


def complete(
    settings: Settings, clients: Clients, source: Mapping[str, Any], *, waiter: Waiter, say: Say
) -> Iterator[Finding]:
    """Set table class, stream, deletion protection, tags and TTL as ``source`` has them; yields what failed."""
    name, region = settings.destination_table, settings.destination_region
    yield from table_spec.left_out(source, name)
    wanted = table_spec.request(source, name, stream=settings.destination_stream)
    for part in ("TableClass", "StreamSpecification", "DeletionProtectionEnabled"):
        try:
            found = destination.describe(clients.destination(), name, region) or {}
            now = {
                "TableClass": table_spec.table_class(found),
                "StreamSpecification": found.get("StreamSpecification"),
                "DeletionProtectionEnabled": found.get("DeletionProtectionEnabled"),
            }
            if part in wanted and wanted[part] != now[part]:
                with aws_errors(f"UpdateTable on table {name} in {region}"):
                    clients.destination().update_table(TableName=name, **{part: wanted[part]})
                destination.wait_until_active(settings, clients, waiter)
        except (UnavailableError, RefusedError) as exc:
            consequence, remedy = "The new table lacks it", "Allow dynamodb:UpdateTable there, or set it yourself"
            yield warning(
                "destination-incomplete",
                f"{part} of destination table {name}",
                f"could not be set ({exc})",
                consequence,
                remedy,
            )
    yield from destination.copy_tags(settings, clients, source)
    yield from destination.copy_ttl(settings, clients, say=say)
