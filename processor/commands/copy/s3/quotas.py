"""Checks AWS's quotas of exports and imports before either is begun (DynamoDB developer guide, quotas)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from processor.aws.errors import aws_errors
from processor.errors import RefusedError, UnavailableError
from processor.reporting.findings import Finding, warning

if TYPE_CHECKING:
    from processor.aws.clients import Clients
    from processor.settings.settings import Settings

# All of an account's in one region at once. AWS raises them on request, so none of them forbids a copy.
EXPORTS = 300
EXPORTED_BYTES = 100 * 1024**4
IMPORTS = 50
LARGE_REGIONS = frozenset({"us-east-1", "us-west-2", "eu-west-1"})
IMPORTED_BYTES_LARGE = 15 * 1024**4
IMPORTED_BYTES = 1024**4
_REMEDY = "Wait for others to end, or ask AWS for a higher quota; else copy without --viaS3"


def findings(settings: Settings, clients: Clients, source: Mapping[str, Any]) -> Iterator[Finding]:
    """Errors if the table is too large, or too many exports or imports are running.

    :param source: ``Table`` of DescribeTable's answer
    """
    yield from _size(source, settings.destination_region)
    exports = _Kind("Export", "ExportSummaries", EXPORTS, lambda **page: clients.source().list_exports(**page))
    imports = _Kind("Import", "ImportSummaryList", IMPORTS, lambda **page: clients.destination().list_imports(**page))
    yield from _under_way(exports, settings.source_region)
    yield from _under_way(imports, settings.destination_region)


class _Kind(NamedTuple):
    """Exports or imports, as DynamoDB lists them.

    :param name: in the names of the call and of the status
    :param summaries: the part of the answer
    :param call: lists a page
    """

    name: str
    summaries: str
    most: int
    call: Callable[..., Any]


def _size(source: Mapping[str, Any], region: str) -> Iterator[Finding]:
    size, what = int(source.get("TableSizeBytes", 0)), f"source table {source['TableName']}"
    most = IMPORTED_BYTES_LARGE if region in LARGE_REGIONS else IMPORTED_BYTES
    for quota, words in ((EXPORTED_BYTES, "exports"), (most, f"imports into {region}")):
        if size > quota:
            yield warning(
                "transfer-quota-bytes",
                what,
                f"has {size / 1024**4:.1f} TB, and AWS's quota is {quota / 1024**4:.0f} TB of {words} at once",
                "AWS may refuse to begin; an import's bytes count as they lie in the bucket, compressed",
                _REMEDY,
            )


def _under_way(kind: _Kind, region: str) -> Iterator[Finding]:
    what = f"{kind.name.lower()}s in {region}"
    try:
        number = _number(kind)
    except (UnavailableError, RefusedError) as exc:
        unknown = "Whether there are as many under way as AWS allows will be known when this one begins"
        yield warning(
            "transfers-unknown", what, f"can't be listed ({exc})", unknown, f"Allow dynamodb:List{kind.name}s"
        )
        return
    if number >= kind.most:
        value = f"{number} are under way, and AWS's quota is {kind.most} at once"
        yield warning("transfer-quota-number", what, value, "AWS may refuse to begin another", _REMEDY)


def _number(kind: _Kind) -> int:
    """How many are under way; those past the quota are not counted."""
    page: dict[str, Any] = {}
    number = 0
    while True:
        with aws_errors(f"List{kind.name}s"):
            found = kind.call(**page)
        states = [each.get(f"{kind.name}Status") for each in found.get(kind.summaries, [])]
        number += states.count("IN_PROGRESS")
        if number >= kind.most or not found.get("NextToken"):
            return number
        page = {"NextToken": found["NextToken"]}
