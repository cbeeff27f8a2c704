"""Draws docs/performance/throughput.png from the figures beside it: ``./test.sh bench --write`` comes to this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from tests.bench.performance import PICTURE, Measured, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _FAINT, _LINE, _AREA = "#1f2430", "#8a90a0", "#3f51b5", "#c5cae9"


def _panel(axes: Axes, measured: Measured, title: str, places: list[tuple[str, str]]) -> None:
    found = [(label, row) for label, prefix in places if (row := measured.row(f"{prefix}: records/s"))]
    across = range(len(found))
    medians = [row["median"] for _, row in found]
    axes.fill_between(across, [row["min"] for _, row in found], [row["max"] for _, row in found], color=_AREA)
    axes.plot(across, medians, color=_LINE, marker="o", linewidth=2)
    for place, median in zip(across, medians, strict=True):
        axes.annotate(
            f"{median:,.0f}", (place, median), (0, 7), textcoords="offset points", ha="center", color=_INK, fontsize=9
        )
    axes.set_xticks(list(across), [label for label, _ in found])
    axes.set_xlabel(title, color=_INK)
    axes.set_xlim(-0.4, max(len(found) - 0.6, 0.4))
    axes.margins(y=0.2)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color="#e6e8ef")
    axes.set_axisbelow(True)
    axes.tick_params(colors=_FAINT, labelcolor=_INK, labelsize=9)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(_FAINT)


def main() -> None:
    """Median, and from the least to the most of the runs."""
    measured = Measured()
    panels = series()
    figure = Figure(figsize=(11, 3.6), dpi=100, facecolor="white", layout="constrained")
    for axes, (title, (_, places)) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        _panel(axes, measured, title, places)
    figure.axes[0].set_ylabel("records a second", color=_INK)
    told = "{CPU}, {cores} cores, {memory}; Java {Java}, Python {Python}".format_map(measured.machine)
    figure.suptitle(f"One daemon, recorded source, null sink: {told}", fontsize=10, color=_INK)
    figure.savefig(PICTURE)
    with Image.open(PICTURE) as image:
        image.convert("RGB").save(PICTURE, optimize=True)  # a third of what it was


if __name__ == "__main__":
    main()
