"""The facts as they will be when ``copy`` has done what ``createDestination`` and ``enableStream`` ask for. Pure.

A command that only looks is to say what will be wrong then, and not what the settings are going to put right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from processor.dynamodb import table_spec
from processor.reporting.findings import Finding

if TYPE_CHECKING:
    from processor.settings.settings import Settings
    from processor.startup.facts import Facts

# What the facts may lack, in the order in which people are told of it.
_WORDS = {"destination": "make the destination", "stream": "turn the stream on"}


def foresee(settings: Settings, facts: Facts, findings: Sequence[Finding]) -> list[Finding]:
    """Change the facts to what they will be after ``copy`` has begun; ``to_make`` says what it has to do for that.

    :param facts: as they are; they are changed
    :param findings: of reading them
    :returns: those that will still hold, and warnings of what the new destination will not have
    """
    if facts.source is None:  # the destination can be made when the source is found
        makes = settings.create_destination
        return [finding for finding in findings if not (makes and _is_of_missing_destination(finding))]
    if settings.enable_stream:
        _foresee_stream(facts)
    if not (settings.create_destination and "destination" in facts.missing):
        return list(findings)
    name = settings.destination_table
    facts.to_make |= {"destination"}
    facts.destination = _described(table_spec.request(facts.source, name, stream=settings.destination_stream))
    if facts.source_ttl is not None and not settings.keeps_expired:
        facts.destination_ttl = settings.destination_name(facts.source_ttl)
    left = [finding for finding in findings if not _is_of_missing_destination(finding)]
    return [*left, *table_spec.left_out(facts.source, name)]


def _foresee_stream(facts: Facts) -> None:
    assert facts.source is not None  # noqa: S101  # else there is nothing to foresee
    if not facts.source.get("StreamSpecification", {}).get("StreamEnabled"):
        facts.to_make |= {"stream"}
        # The new stream's ARN is not known, and is no earlier one's.
        facts.source = facts.source | {"StreamSpecification": dict(table_spec.STREAM), "LatestStreamArn": ""}
    elif facts.stream_status == "ENABLING":
        facts.stream_status = "ENABLED"  # for which copy waits


def _described(request: dict[str, Any]) -> dict[str, Any]:
    """DescribeTable's ``Table`` for a table that CreateTable has just made by this request."""
    table = {name: value for name, value in request.items() if name not in ("BillingMode", "TableClass")}
    table |= {"TableStatus": "ACTIVE", "TableId": "", "BillingModeSummary": {"BillingMode": request["BillingMode"]}}
    if "TableClass" in request:
        table["TableClassSummary"] = {"TableClass": request["TableClass"]}
    if encryption := table.pop("SSESpecification", None):
        table["SSEDescription"] = {"SSEType": encryption["SSEType"], "Status": "ENABLED"}
    return table


def shown(facts: Facts) -> str:
    """What ``copy`` will do before it copies, as "make the destination and turn the stream on"; empty if nothing."""
    return " and ".join(words for part, words in _WORDS.items() if part in facts.to_make)


def advised(settings: Settings, findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings, where one names ``createDestination`` as the remedy although that is set."""
    for finding in findings:
        if settings.create_destination and _is_of_missing_destination(finding):
            remedy = "Run copy, which makes it, as createDestination=true asks; or check name, region and endpoint"
            yield msgspec.structs.replace(finding, remedy=remedy)
        else:
            yield finding


def _is_of_missing_destination(finding: Finding) -> bool:
    return finding.id == "table-missing" and finding.object.startswith("destination table ")
