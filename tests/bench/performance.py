"""docs/performance.md's tables, from the figures beside it: what is wanted, what was measured, and what limits it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from processor.startup import java
from tests.bench import quiet_goals, statements, view
from tests.bench.figures import Row
from tests.bench.goals import GOALS
from tests.bench.throughput import BATCH_SIZES, LATENCIES_MS, SHARDS

PAGE = java.ROOT / "docs" / "performance.md"
FIGURES = java.ROOT / "docs" / "performance" / "figures.json"
PICTURE = java.ROOT / "docs" / "performance" / "throughput.png"
_PLACE = "(<!-- {name}: ./test.sh bench --write -->\n).*?(<!-- end -->)"
_ABSENT = "not measured yet"


# Those that the page has figures of, the quick ones first.
BENCHES = (
    *("child", "view", "drain", "shards", "latency", "batch", "large", "million", "local", "lag", "start", "calls"),
    *("quiet-child", "quiet-idle", "quiet-written", "quiet-500", "leases"),
)


class Measured:
    """What ``figures.json`` holds: the machine, and each bench's rows."""

    def __init__(self, file: Path = FIGURES) -> None:
        found = json.loads(file.read_text()) if file.exists() else {"machine": {}, "benches": {}}
        self._file = file
        self.machine: dict[str, str] = found["machine"]
        self.benches: dict[str, list[Row]] = found["benches"]

    def keep(self, machine: dict[str, str], benches: Mapping[str, list[Row]]) -> None:
        """Write these over what there was of the same benches."""
        self.machine = machine
        self.benches |= benches
        self._file.parent.mkdir(exist_ok=True)
        content = {"machine": self.machine, "benches": dict(sorted(self.benches.items()))}
        self._file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def row(self, figure: str) -> Row | None:
        """A figure's."""
        return next((row for made in self.benches.values() for row in made if row["figure"] == figure), None)

    def shown(self, figure: str, decimals: int = 0, *, spread: bool = False) -> str:
        """A figure's median, or what else stands after a bar; with the least and the most, where there are several."""
        name, _, column = figure.partition("|")
        row = self.row(name)
        if row is None:
            return _ABSENT
        text = f"{row[column or 'median']:,.{decimals}f}"
        if spread and not column and row["n"] > 1 and row["min"] < row["max"]:
            text += f" ({row['min']:,.{decimals}f} to {row['max']:,.{decimals}f})"
        return text


def rendered(page: str, measured: Measured) -> str:
    """The page with its tables made anew."""
    for name, make in _TABLES.items():
        text = make(measured).replace("\\", r"\\")
        page, count = re.subn(_PLACE.format(name=name), rf"\g<1>{text}\g<2>", page, flags=re.DOTALL)
        assert count == 1, f"{name} has no place in the page"
    return page


def _table(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *lines]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def _machine(measured: Measured) -> str:
    return _table(("", ""), list(measured.machine.items()))


def _goals(measured: Measured) -> str:
    lines = []
    for goal in GOALS:
        several = len(goal.figures) > 1
        ours = ", ".join(measured.shown(each, goal.decimals, spread=not several) for each in goal.figures)
        limit = "".join(
            measured.shown(part, goal.decimals) if number % 2 else part for number, part in enumerate(goal.limits)
        )
        lines.append((goal.measure, goal.goal, goal.original, ours, limit, f"`./test.sh bench {goal.bench}`"))
    return _table(("measure", "goal", "Java library", "measured", "bare limit", "command"), lines)


def series() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """What is drawn: by the axis' title its bench, and each place on it with the name that its figures begin with."""
    return {
        "shards": ("shards", [(str(count), f"{count} shards") for count in SHARDS]),
        "latency of the destination, ms": ("latency", [(str(ms), f"latency {ms} ms") for ms in LATENCIES_MS]),
        "batchSize": ("batch", [(str(size), f"batchSize {size}") for size in BATCH_SIZES]),
    }


def _throughput(measured: Measured) -> str:
    text = ""
    for title, (bench, places) in series().items():
        lines = [
            (
                place,
                measured.shown(f"{prefix}: records/s", spread=True),
                measured.shown(f"{prefix}: CPU of JVM and children, µs/record"),
            )
            for place, prefix in places
        ]
        text += _table((title, "records/s", f"CPU, µs/record (`{bench}`)"), lines)
    return text.replace("\n\n\n", "\n\n")


def _processes(measured: Measured, *parts: tuple[str, str]) -> str:
    return _table(
        ("process", "CPU, µs/record"), [(name, measured.shown(figure, 1, spread=True)) for name, figure in parts]
    )


def _servers(measured: Measured) -> str:
    return _processes(
        measured,
        ("JVM", "drain: CPU of JVM, µs/record"),
        ("child", "drain: CPU of child, µs/record"),
        ("source, recorded", "drain: CPU of source, µs/record"),
        ("sink", "drain: CPU of sink, µs/record"),
        ("checkpoints, on DynamoDB Local", "drain: CPU of checkpoints, µs/record"),
    )


def _local(measured: Measured) -> str:
    return _processes(
        measured,
        ("destination, DynamoDB Local", "local: CPU of the destination, µs/record"),
        ("source and checkpoints, DynamoDB Local", "local: CPU of the source, µs/record"),
        ("JVM", "local: CPU of the JVM, µs/record"),
        ("child", "local: CPU of the child, µs/record"),
    )


def _quiet(measured: Measured) -> str:
    return _table(("measure", "before", "goal", "measured", ""), quiet_goals.rows(measured.benches))


def _view(measured: Measured) -> str:
    lines = [
        (
            name,
            measured.shown(f"{name}: record decoded, µs", 2),
            "" if name == view.NO_VIEW else measured.shown(f"{name}: view alone, µs/item", 2),
        )
        for name in view.KINDS
    ]
    return _table(("settings", "a record decoded, µs", "the view alone, µs"), lines)


_TABLES: dict[str, Callable[[Measured], str]] = {
    "machine": _machine,
    "goals": _goals,
    "throughput": _throughput,
    "servers": _servers,
    "local": _local,
    "quiet": _quiet,
    "view": _view,
}


def renew(machine: dict[str, str], benches: Mapping[str, list[Row]]) -> None:
    """Keep what was measured, and make the page's tables of it, and the figures of other pages."""
    measured = Measured()
    measured.keep(machine, benches)
    PAGE.write_text(rendered(PAGE.read_text(), measured))
    statements.renew(measured)
