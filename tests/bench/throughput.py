"""Records a second and what they cost: a recorded source and a null sink, so that only the daemon is at work.

A figure is of the records after the first fifth, when the JVM has compiled what is hot.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from tests.bench.alone import decode_only, write_only
from tests.bench.figures import Figures
from tests.bench.load import OURS, PARTS, Load, drain
from tests.bench.processes import Course
from tests.scenarios.conftest import Servers

RUNS = 3
WARM = 0.2
MILLION = 1_000_000
SHARDS = (1, 2, 4, 8)
LATENCIES_MS = (0, 20, 80, 200)
BATCH_SIZES = (100, 250, 500, 1000)
# A slow destination is looked at for so long.
_LIMIT_SECONDS = 12.0
_LARGE_BYTES = 400 * 1000
_LARGE_RECORDS = 2000
_MEMORY_PARTS = 5


def drained(servers: Servers, folder: Path) -> Figures:
    """One shard; beside it the parts alone."""
    figures: Figures = defaultdict(list)
    messages = folder / "messages"
    for _ in range(RUNS):
        course = drain(servers, folder, Load())
        _add(figures, "drain", course, PARTS)
        figures["drain: resident memory of JVM and child, MB"].append(sum(map(course.peak_megabytes, OURS)))
        figures["drain: threads of JVM"].append(course.peak_threads("JVM"))
        _add(figures, "drain, adapter alone", drain(servers, folder, Load(bare=messages)), ("JVM", "source"))
        for name, alone in (("decode alone", decode_only), ("write loop alone", write_only)):
            rate, cpu = alone(folder, messages)
            figures[f"drain, {name}: records/s"].append(rate)
            figures[f"drain, {name}: CPU, µs/record"].append(cpu)
    return figures


def million(servers: Servers, folder: Path) -> Figures:
    """One shard, a million records; memory in each fifth of them."""
    figures: Figures = defaultdict(list)
    course = drain(servers, folder, Load(records=MILLION, limit_seconds=600))
    _add(figures, "million", course, PARTS)
    for part in OURS:
        for number in range(_MEMORY_PARTS):
            low, high = (MILLION * each / _MEMORY_PARTS for each in (number, number + 1))
            name = f"million, {part}: MB, records {low / 1e6:.1f} to {high / 1e6:.1f} million"
            figures[name] = [sample.megabytes[part] for sample in course.samples if low <= sample.done <= high]
    return figures


def shards(servers: Servers, folder: Path) -> Figures:
    """One daemon with more and more of them."""
    figures: Figures = defaultdict(list)
    for count in SHARDS:
        for _ in range(RUNS):
            course = drain(servers, folder, Load(records=max(80_000, 20_000 * count) // count, shards=count))
            _add(figures, f"{count} shards", course, PARTS)
            figures[f"{count} shards: JVM, MB"].append(course.peak_megabytes("JVM"))
            figures[f"{count} shards: each child, MB"].append(course.peak_megabytes("child") / count)
    return figures


def latency(servers: Servers, folder: Path) -> Figures:
    """One shard, a destination that takes its time; beside it our writes to it alone."""
    figures: Figures = defaultdict(list)
    messages = folder / "messages"
    drain(servers, folder, Load(records=20_000, bare=messages))
    for delay_ms in LATENCIES_MS:
        for _ in range(RUNS):
            load = Load(sink={"latency_ms": delay_ms}, limit_seconds=_LIMIT_SECONDS)
            _add(figures, f"latency {delay_ms} ms", drain(servers, folder, load), OURS)
            rate, _cpu = write_only(folder, messages, latency_ms=delay_ms)
            figures[f"latency {delay_ms} ms, write loop alone: records/s"].append(rate)
    return figures


def batch(servers: Servers, folder: Path) -> Figures:
    """One shard, pages of different sizes."""
    figures: Figures = defaultdict(list)
    for size in BATCH_SIZES:
        for _ in range(RUNS):
            load = Load(settings={"batchSize": str(size)}, limit_seconds=_LIMIT_SECONDS)
            _add(figures, f"batchSize {size}", drain(servers, folder, load), OURS)
    return figures


def large(servers: Servers, folder: Path) -> Figures:
    """Items as large as DynamoDB takes them: two in a page."""
    figures: Figures = defaultdict(list)
    for _ in range(RUNS):
        course = drain(servers, folder, Load(records=_LARGE_RECORDS, item_bytes=_LARGE_BYTES))
        _add(figures, "400 KB items", course, OURS)
        for part in OURS:
            figures[f"400 KB items: {part}, MB"].append(course.peak_megabytes(part))
    return figures


def _add(figures: Figures, name: str, course: Course, parts: tuple[str, ...]) -> None:
    window = course.between(WARM)
    figures[f"{name}: records/s"].append(window.rate)
    if set(OURS) <= set(parts):
        figures[f"{name}: CPU of JVM and children, µs/record"].append(sum(map(window.cpu_micros, OURS)))
    for part in parts:
        figures[f"{name}: CPU of {part}, µs/record"].append(window.cpu_micros(part))
