"""What a bench gives, and how that is told."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from processor.startup import java
from tests.scenarios.conftest import Servers

# Each figure's values by its name, which ends with its unit.
Figures = dict[str, list[float]]
Bench = Callable[[Servers, Path], Figures]
Row = dict[str, Any]


def rows(figures: Figures) -> list[Row]:
    """One for each figure."""
    made: list[Row] = []
    for name, values in figures.items():
        cuts = statistics.quantiles(values, n=20, method="inclusive") if len(values) > 1 else values * 19
        numbers = {"n": len(values), "min": min(values), "median": cuts[9], "p95": cuts[18], "max": max(values)}
        made.append({"figure": name, **{key: round(number, 3) for key, number in numbers.items()}})
    return made


def show(made: Iterable[Row]) -> None:
    """As a table, for people."""
    table = Table("figure", "n", "min", "median", "p95", "max")
    for row in made:
        table.add_row(row["figure"], *(f"{row[name]:,.6g}" for name in ("n", "min", "median", "p95", "max")))
    Console(width=None if os.isatty(1) else 140).print(table)


def machine() -> dict[str, str]:
    """What it was measured on; no name of a host."""
    version = subprocess.run([java.executable(), "-version"], capture_output=True, text=True, check=False).stderr
    return {
        "CPU": _cpu_model(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "Java": version.split('"')[1] if '"' in version else "unknown",
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _cpu_model() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
