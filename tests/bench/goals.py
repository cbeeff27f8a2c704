"""What is to be reached, and what the archived Java library did: measured on two shared cores, as told on the page."""

from __future__ import annotations

from typing import NamedTuple


class Goal(NamedTuple):
    """One measure. Figures are named as the benches name them, and told with this many decimals.

    ``limits``: what the same machine can do at most, as words and figures' names in turn.
    """

    measure: str
    goal: str
    original: str
    figures: tuple[str, ...]
    limits: tuple[str, ...]
    bench: str
    decimals: int = 0


GOALS = (
    Goal(
        "CPU of JVM and child, each record, warm, of 1,000,000",
        "≤ 50 µs",
        "200 µs",
        ("million: CPU of JVM and children, µs/record",),
        (
            "JVM alone ",
            "drain, adapter alone: CPU of JVM, µs/record",
            ", decode alone ",
            "drain, decode alone: CPU, µs/record",
            ", write loop alone ",
            "drain, write loop alone: CPU, µs/record",
        ),
        "million drain",
        1,
    ),
    Goal(
        "one shard, records/s",
        "≥ 18,000",
        "2,000",
        ("drain: records/s",),
        (
            "JVM alone ",
            "drain, adapter alone: records/s",
            ", decode alone ",
            "drain, decode alone: records/s",
            ", write loop alone ",
            "drain, write loop alone: records/s",
        ),
        "drain",
    ),
    Goal("8 shards, one daemon, records/s", "≥ 20,000", "", ("8 shards: records/s",), (), "shards"),
    Goal(
        "one shard, 80 ms to the destination, records/s",
        "≥ 8,000",
        "",
        ("latency 80 ms: records/s",),
        ("write loop alone ", "latency 80 ms, write loop alone: records/s"),
        "latency",
    ),
    Goal(
        "DynamoDB Local at both ends, warm, records/s",
        "90 % of a bare loop",
        "1,380 to 1,580; 950 cold",
        ("local: records/s",),
        ("bare loop ", "local, bare loop: records/s"),
        "local",
    ),
    Goal("the same, share of the bare loop, %", "≥ 90", "", ("local: share of the bare loop, %",), (), "local"),
    Goal(
        "the same, CPU of each record, start included, µs",
        "",
        "720 to 900",
        ("local: CPU of JVM and children, start included, µs/record",),
        (),
        "local",
    ),
    Goal("lag, median and p95, s", "≤ 0.12, ≤ 0.25", "0.335, 0.985", ("lag, s", "lag, s|p95"), (), "lag", 3),
    Goal(
        "GetRecords of an idle shard, each second",
        "≤ 4",
        "",
        ("1 shards, 125 ms, idle: stream GetRecords, 1/s",),
        (),
        "calls",
        1,
    ),
    Goal("resident memory of the JVM at 8 shards, MB", "≤ 300", "", ("8 shards: JVM, MB",), (), "shards"),
    Goal("resident memory of a child, MB", "≤ 60", "", ("8 shards: each child, MB",), (), "shards"),
    Goal(
        "JVM, first and last fifth of 1,000,000 records, MB",
        "the same",
        "",
        (
            "million, JVM: MB, records 0.0 to 0.2 million|max",
            "million, JVM: MB, records 0.8 to 1.0 million|max",
        ),
        (),
        "million",
    ),
    Goal(
        "child, first and last fifth of 1,000,000 records, MB",
        "the same",
        "",
        (
            "million, child: MB, records 0.0 to 0.2 million|max",
            "million, child: MB, records 0.8 to 1.0 million|max",
        ),
        (),
        "million",
    ),
    Goal(
        "JVM and child with items of 400 KB, MB",
        "bounded",
        "",
        ("400 KB items: JVM, MB|max", "400 KB items: child, MB|max"),
        (),
        "large",
    ),
    Goal(
        "resident memory of one shard's drain, all processes, MB",
        "",
        "500 to 600",
        ("drain: resident memory of JVM and child, MB",),
        (),
        "drain",
    ),
    Goal("threads of the JVM in a drain", "", "1,046", ("drain: threads of JVM",), (), "drain"),
    Goal("command to first record, s", "≤ 5", "12.7", ("first start, s",), (), "start", 1),
    Goal(
        "restart, after SIGTERM and after `kill -9`, to the next record, s",
        "≤ 4",
        "125",
        ("after SIGTERM, s", "after kill -9, s"),
        (),
        "start",
        1,
    ),
    Goal("CPU of a child's start, s", "≤ 0.35", "", ("child: CPU to its first answer, s",), (), "child", 2),
)
