"""AWS's prices, by its list. Prices stand here and in no other module. Pure.

US dollars, us-east-1, without discounts, free tiers and taxes, as of the month below
(https://aws.amazon.com/dynamodb/pricing/on-demand/). Other regions cost up to twice as much.
docs/tuning.md has the same.
"""

from __future__ import annotations

AS_OF = "November 2026"
REGION = "us-east-1"
WORDS = f"list prices of {REGION}, {AS_OF}; data transfer left out"

# A million request units of a table on demand, by its class. What is provisioned is paid by the hour, used or not.
_WRITE_MILLION = {"STANDARD": 0.625, "STANDARD_INFREQUENT_ACCESS": 0.78}
_READ_MILLION = {"STANDARD": 0.125, "STANDARD_INFREQUENT_ACCESS": 0.155}
# A gigabyte of the table exported, and of items imported.
EXPORT_GIGABYTE = 0.10
IMPORT_GIGABYTE = 0.15
_BYTES_PER_GIGABYTE = 1024**3
# A hundred thousand reads of a stream, of which the first 2.5 million a month are free in each account and region.
_STREAM_READS = 0.02 / 1e5
# CloudWatch (https://aws.amazon.com/cloudwatch/pricing/): a metric a month, of the first 10,000; a thousand requests.
_METRIC = 0.30
_METRIC_REQUESTS = 0.01 / 1e3


def reads(units: float, table_class: str) -> float:
    """What read request units cost, in US dollars."""
    return units / 1e6 * _READ_MILLION.get(table_class, _READ_MILLION["STANDARD"])


def writes(units: float, table_class: str) -> float:
    """What write request units of a table and its indexes cost, in US dollars."""
    return units / 1e6 * _WRITE_MILLION.get(table_class, _WRITE_MILLION["STANDARD"])


def stream_reads(calls: float) -> float:
    """What GetRecords calls cost, in US dollars."""
    return calls * _STREAM_READS


def metrics(number: float, requests: float) -> float:
    """What so many CloudWatch metrics cost a month, and the requests that publish them, in US dollars."""
    return number * _METRIC + requests * _METRIC_REQUESTS


def transfer(size_bytes: float) -> float:
    """What an export to S3 and the import from it cost, in US dollars, without S3's charge for the bucket."""
    return size_bytes / _BYTES_PER_GIGABYTE * (EXPORT_GIGABYTE + IMPORT_GIGABYTE)


def shown(dollars: float) -> str:
    """A sum of US dollars as text."""
    return f"${dollars:,.2f}" if dollars >= 0.01 else "less than a cent"  # noqa: PLR2004
