"""What an import leaves out of a table's definition: set when the table is there. To set it once more does no harm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from processor.aws.errors import aws_errors
from processor.errors import RefusedError, UnavailableError
from processor.findings import Finding, warning
from processor.provision import creation, definition
from processor.waiting import Say, Waiting

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings import Settings


def complete(
    settings: Settings, clients: Clients, source: Mapping[str, Any], *, waiting: Waiting, say: Say
) -> Iterator[Finding]:
    """Table class, stream, deletion protection, tags and TTL, as ``source`` has them; what fails is a warning."""
    name, region = settings.destination_table, settings.destination_region
    yield from definition.left_out(source, name)
    wanted = definition.request(source, name, stream=settings.destination_stream)
    for part in ("TableClass", "StreamSpecification", "DeletionProtectionEnabled"):
        try:
            found = creation.describe(clients.destination(), name, region) or {}
            now = {
                "TableClass": definition.table_class(found),
                "StreamSpecification": found.get("StreamSpecification"),
                "DeletionProtectionEnabled": found.get("DeletionProtectionEnabled"),
            }
            if part in wanted and wanted[part] != now[part]:
                with aws_errors(f"UpdateTable on table {name} in {region}"):
                    clients.destination().update_table(TableName=name, **{part: wanted[part]})
                creation.wait_until_active(settings, clients, waiting)
        except (UnavailableError, RefusedError) as exc:
            consequence, remedy = "The new table lacks it", "Allow dynamodb:UpdateTable there, or set it yourself"
            yield warning(f"{part} of destination table {name}", f"could not be set ({exc})", consequence, remedy)
    yield from creation.copy_tags(settings, clients, source)
    yield from creation.copy_ttl(settings, clients, say=say)
