"""Draws docs/metrics/dashboard.png: the dashboard's own queries and layout, and a real Prometheus with a real run.

Not Grafana: its looks are imitated, for the picture to show what the dashboard does. ``./test.sh dashboard``; with
``--folder``, a run that is there already is drawn anew.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from processor.startup import java
from tests.conftest import ENVIRONMENT
from tests.metrics.looks import COLOURS, EDGE, FAINT, GRID, PAGE, PALETTE, PANEL, TEXT, formatted, named
from tests.metrics.real_run import SCRAPE_SECONDS, TASK, Prometheus, run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = java.ROOT / "docs" / "metrics"
COLUMNS, CELL_X, CELL_Y, GAP, HEAD = 24, 66, 31, 8, 64
FIELDS = {"$task": TASK, "$shard": ".*", "$__rate_interval": f"{5 * SCRAPE_SECONDS}s"}


class Picture:
    """One page of panels, in pixels."""

    def __init__(self, prometheus: Prometheus, began: float, ended: float) -> None:
        self._prometheus = prometheus
        self._began, self._ended = began, ended
        dashboard = json.loads((DOCS / "dashboard.json").read_text())
        # A replication has no copy under way.
        last = next(panel["gridPos"]["y"] for panel in dashboard["panels"] if panel["type"] == "row")
        self._panels = [panel for panel in dashboard["panels"] if panel["gridPos"]["y"] < last]
        self._title = dashboard["title"]
        self._width = COLUMNS * CELL_X + GAP
        self._height = HEAD + last * CELL_Y + GAP
        self._figure = Figure(figsize=(self._width / 100, self._height / 100), dpi=100, facecolor=PAGE)

    def draw(self, file: Path) -> None:
        """All of it."""
        self._header()
        for panel in self._panels:
            {"stat": self._stat, "timeseries": self._series}[panel["type"]](panel)
        self._figure.savefig(file, facecolor=PAGE)
        with Image.open(file) as image:
            image.convert("RGB").save(file, optimize=True)  # a third of what it was

    # --- parts ---------------------------------------------------------------------------------------------------

    def _header(self) -> None:
        def say(x: float, text: str, **how: Any) -> None:
            self._figure.text(x / self._width, 1 - HEAD / 2 / self._height, text, va="center", **how)

        say(GAP + 6, self._title, color="white", fontsize=15, fontweight="bold")
        say(330, f"Task  {TASK}        Shard  All", color=TEXT, fontsize=10.5)
        clock = "%H:%M:%S"
        span = (
            f"{time.strftime(clock, time.gmtime(self._began))} to {time.strftime(clock, time.gmtime(self._ended))} UTC"
        )
        say(self._width - GAP - 6, span, color=TEXT, fontsize=10.5, ha="right")

    def _box(self, panel: dict[str, Any], *, centred: bool = False) -> tuple[float, float, float, float]:
        """A panel's frame and title; returns what is left inside, in pixels from the lower left corner."""
        place = panel["gridPos"]
        x, width = place["x"] * CELL_X + GAP, place["w"] * CELL_X - GAP
        height = place["h"] * CELL_Y - GAP
        y = self._height - HEAD - place["y"] * CELL_Y - height
        frame = FancyBboxPatch(
            (x / self._width, y / self._height),
            width / self._width,
            height / self._height,
            boxstyle="square,pad=0",
            facecolor=PANEL,
            edgecolor=EDGE,
            linewidth=1,
            transform=self._figure.transFigure,
            zorder=-1,
        )
        self._figure.add_artist(frame)
        self._figure.text(
            (x + (width / 2 if centred else 10)) / self._width,
            (y + height - 17) / self._height,
            panel["title"],
            color=TEXT,
            fontsize=10 if not centred else 9.5,
            fontweight="medium",
            va="center",
            ha="center" if centred else "left",
        )
        return x, y, width, height - 30

    def _stat(self, panel: dict[str, Any]) -> None:
        x, y, width, height = self._box(panel, centred=True)
        query = self._filled(panel["targets"][0]["expr"])
        found = self._prometheus.ask("query", query=query, time=self._ended)
        value = float(found[0]["value"][1]) if found else math.nan
        defaults = panel["fieldConfig"]["defaults"]
        steps = defaults["thresholds"]["steps"]
        colour = next(
            step["color"]
            for step in reversed(steps)
            if step["value"] is None or (not math.isnan(value) and value >= step["value"])
        )
        text = "-" if math.isnan(value) else formatted(value, defaults["unit"], decimals=defaults.get("decimals"))
        self._figure.text(
            (x + width / 2) / self._width,
            (y + height * 0.52) / self._height,
            text,
            color=COLOURS[colour],
            fontsize=25,
            fontweight="medium",
            ha="center",
            va="center",
        )

    def _series(self, panel: dict[str, Any]) -> None:
        x, y, width, height = self._box(panel)
        axes = self._figure.add_axes(
            (
                (x + 68) / self._width,
                (y + 50) / self._height,
                (width - 84) / self._width,
                (height - 56) / self._height,
            ),
            facecolor=PANEL,
        )
        defaults = panel["fieldConfig"]["defaults"]
        self._fill(axes, panel, defaults)
        self._dress(axes, defaults)

    def _fill(self, axes: Axes, panel: dict[str, Any], defaults: dict[str, Any]) -> None:
        colours = {
            override["matcher"]["options"]: COLOURS[override["properties"][0]["value"]["fixedColor"]]
            for override in panel["fieldConfig"]["overrides"]
        }
        custom = defaults["custom"]
        stacked = custom["stacking"]["mode"] == "normal"
        floor: dict[float, float] = {}
        drawn = 0
        for target in panel["targets"]:
            for found in self._range(target["expr"]):
                name = named(target["legendFormat"], found["metric"])
                points = {float(at): float(value) for at, value in found["values"]}
                times = self._times()
                values = [points.get(at, math.nan) for at in times]
                colour = colours.get(name, PALETTE[drawn % len(PALETTE)])
                drawn += 1
                lower = [floor.get(at, 0.0) for at in times] if stacked else [0.0] * len(times)
                upper = [low + (0.0 if math.isnan(value) else value) for low, value in zip(lower, values, strict=True)]
                line = upper if stacked else values
                style = {"drawstyle": "steps-post"} if custom["lineInterpolation"] == "stepAfter" else {}
                axes.plot(times, line, color=colour, linewidth=1.3, label=name, **style)
                step = "post" if style else None
                axes.fill_between(
                    times, lower, line, color=colour, alpha=custom["fillOpacity"] / 100 * 0.8, linewidth=0, step=step
                )
                if stacked:
                    floor = dict(zip(times, upper, strict=True))
        for step in defaults.get("thresholds", {}).get("steps", ()):
            if step["value"] is not None:
                axes.axhline(step["value"], color=COLOURS[step["color"]], linewidth=1, linestyle=(0, (5, 4)))

    def _dress(self, axes: Axes, defaults: dict[str, Any]) -> None:
        axes.set_xlim(self._began, self._ended)
        axes.set_ylim(bottom=0)
        if "max" in defaults:
            axes.set_ylim(top=defaults["max"])
        elif axes.get_ylim()[1] < 1 and defaults["unit"] != "percentunit":
            axes.set_ylim(top=1)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=defaults.get("decimals") == 0))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: formatted(value, defaults["unit"], axis=True)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: time.strftime("%H:%M", time.gmtime(value))))
        minutes = range(math.ceil(self._began / 60) * 60, int(self._ended) + 1, 60)
        axes.set_xticks(list(minutes))
        axes.grid(visible=True, color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=FAINT, labelsize=9, length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        if axes.get_legend_handles_labels()[1]:
            axes.legend(
                loc="upper left",
                bbox_to_anchor=(-0.06, -0.13),
                ncols=6,
                frameon=False,
                labelcolor=TEXT,
                fontsize=9,
                handlelength=1.2,
                columnspacing=1.4,
                handletextpad=0.5,
                borderaxespad=0,
            )

    # --- Prometheus ----------------------------------------------------------------------------------------------

    def _times(self) -> list[float]:
        start = math.ceil(self._began)
        return [float(at) for at in range(start, int(self._ended), SCRAPE_SECONDS)]

    def _range(self, expression: str) -> list[dict[str, Any]]:
        times = self._times()
        found = self._prometheus.ask(
            "query_range", query=self._filled(expression), start=times[0], end=times[-1], step=SCRAPE_SECONDS
        )
        return sorted(found, key=lambda series: sorted(series["metric"].items()))

    def _filled(self, expression: str) -> str:
        for name, value in (FIELDS | {"$__range": f"{int(self._ended - self._began)}s"}).items():
            expression = expression.replace(name, value)
        return expression


def main() -> None:
    """Run, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="keeps the run; one that is there is drawn again")
    parser.add_argument("--output", type=Path, default=DOCS / "dashboard.png")
    given = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        times = folder / "times.json"
        if not times.exists():
            times.write_text(json.dumps(run(folder)))
        began, ended = json.loads(times.read_text())
        with Prometheus(folder / "prometheus", []) as prometheus:
            Picture(prometheus, began, ended).draw(given.output)
    print(f"{given.output}: {given.output.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
