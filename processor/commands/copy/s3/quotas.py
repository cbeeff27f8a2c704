"""Checks AWS's quotas of exports and imports before either is begun (DynamoDB developer guide, quotas)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

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
    for what, region, call, most in (
        ("exports", settings.source_region, lambda: _exports(clients), EXPORTS),
        ("imports", settings.destination_region, lambda: _imports(clients), IMPORTS),
    ):
        yield from _under_way(what, region, call, most)


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


def _under_way(what: str, region: str, count: Callable[[], int], most: int) -> Iterator[Finding]:
    try:
        number = count()
    except (UnavailableError, RefusedError) as exc:
        unknown = "Whether there are as many under way as AWS allows will be known when this one begins"
        action = "ListExports" if what == "exports" else "ListImports"
        yield warning(
            "transfers-unknown", f"{what} in {region}", f"can't be listed ({exc})", unknown, f"Allow dynamodb:{action}"
        )
        return
    if number >= most:
        value = f"{number} are under way, and AWS's quota is {most} at once"
        yield warning("transfer-quota-number", f"{what} in {region}", value, "AWS may refuse to begin another", _REMEDY)


def _exports(clients: Clients) -> int:
    page: dict[str, Any] = {}
    number: int = 0
    while True:
        with aws_errors("ListExports"):
            found: Any = clients.source().list_exports(**page)
        number += len([1 for each in found.get("ExportSummaries", []) if each.get("ExportStatus") == "IN_PROGRESS"])
        if number >= EXPORTS or not found.get("NextToken"):
            return number
        page = {"NextToken": found["NextToken"]}


def _imports(clients: Clients) -> int:
    page: dict[str, Any] = {}
    number: int = 0
    while True:
        with aws_errors("ListImports"):
            found: Any = clients.destination().list_imports(**page)
        number += len([1 for each in found.get("ImportSummaryList", []) if each.get("ImportStatus") == "IN_PROGRESS"])
        if number >= IMPORTS or not found.get("NextToken"):
            return number
        page = {"NextToken": found["NextToken"]}
