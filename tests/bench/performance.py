"""docs/performance.md's tables, from the figures beside it: what is wanted, what was measured, and what limits it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from processor.startup import java
from tests.bench import fair, many, quiet_goals, statements, twoway, view
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
    *("quiet-child", "quiet-idle", "quiet-written", "quiet-500", "leases", "many", "replicas", "fair", "twoway"),
    *("copy", "verify"),  # told on their own pages
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


def _many(measured: Measured) -> str:
    name = f"{many.TASKS} tasks"
    start, cpu = (measured.shown(f"{name}: {what}, s", 1) for what in ("command to all of them read", "CPU until then"))
    lag = ", ".join(f"{measured.shown(f'{name}, written: lag, s{column}', 3)} s" for column in ("", "|p95"))
    memory = measured.shown(f"{name}, quiet: all processes, proportional, MB")
    quiet = measured.shown(f"{name}, quiet: CPU, % of a core", 1, spread=True)
    more = measured.shown(f"{name}: one more, from its file to its first read, s", 1, spread=True)
    lines = [
        ("memory of all processes, quiet (proportional)", "11 GB", "≤ 1.5 GB", f"{memory} MB"),
        ("CPU, quiet, % of a core", "210", "≤ 25", quiet),
        ("from the command until all are read", "", "≤ 20 s", f"{start} s, of which {cpu} s are CPU of two cores"),
        (
            "each written once a second: CPU, % of a core",
            "",
            "≤ 100",
            measured.shown(f"{name}, written: CPU, % of a core"),
        ),
        ("… lag, median and p95", "", "≤ 0.5 s p95", lag),
        (
            "one task more, from its file to its first read, s",
            "",
            "≤ 2",
            f"{more}, the second included in which a file must not change",
        ),
    ]
    return _table(("measure", "fifty processes", "goal", "measured"), lines)


def _replicas(measured: Measured) -> str:
    lines = [
        (measure, *(measured.shown(f"a backlog to {count}: {figure}", decimals, spread=True) for count in (1, 5)), goal)
        for measure, figure, decimals, goal in (
            ("how often the stream gives each record", "records that the stream gave, of each that it has", 1, "≤ 1.1"),
            (
                "records/s in all, first write to last",
                "records/s in all, from the first write to the last",
                0,
                "≥ 40,000",
            ),
            (
                "CPU of the daemon for each record written, its start included, µs",
                "CPU of the daemon, start included, µs/record written",
                1,
                "",
            ),
            ("memory of the JVM, MB", "JVM, MB", 0, ""),
        )
    ]
    return _table(("measure", "to one destination", "to five", "goal, for five"), lines)


def _fair(measured: Measured) -> str:
    name = f"{fair.OTHERS} tasks"
    lines = [
        (what, *(measured.shown(f"{figure}: the others' lag, s{column}", 3) for column in ("", "|p95", "|max")))
        for what, figure in (
            ("none", name),
            *((kind, f"{name}, {kind}") for kind in fair.BUSY),
        )
    ]
    return _table(("the ninth task", "lag of the others, median, s", "p95", "most"), lines)


def _twoway(measured: Measured) -> str:
    lines = [
        (
            what,
            measured.shown(f"{name}: records/s", spread=True),
            measured.shown(f"{name}: {twoway.CPU}", 1, spread=True),
        )
        for what, name in (
            ("one way, in batches", "one way, in batches"),
            ("one way, `writeMode=fenced`", "one way, fenced"),
            ("the mirror, hub to spoke", "mirror"),
            ("the uplink, spoke to hub", "uplink"),
            ("the uplink, of what the mirror has written", "uplink, echoes"),
        )
    ]
    return _table(("direction", "records/s", "CPU of the child, µs/record"), lines)


_TABLES: dict[str, Callable[[Measured], str]] = {
    "machine": _machine,
    "goals": _goals,
    "throughput": _throughput,
    "servers": _servers,
    "local": _local,
    "quiet": _quiet,
    "view": _view,
    "many": _many,
    "replicas": _replicas,
    "fair": _fair,
    "twoway": _twoway,
}


def renew(machine: dict[str, str], benches: Mapping[str, list[Row]]) -> None:
    """Keep what was measured, and make the page's tables of it, and the figures of other pages."""
    measured = Measured()
    measured.keep(machine, benches)
    PAGE.write_text(rendered(PAGE.read_text(), measured))
    statements.renew(measured)
