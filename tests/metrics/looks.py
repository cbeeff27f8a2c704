"""Grafana's looks, more or less: colours, names and figures."""

from __future__ import annotations

# Grafana's dark theme.
PAGE, PANEL, EDGE, TEXT, FAINT, GRID = "#111217", "#181b1f", "#2a2d33", "#ccccdc", "#8e8e9a", "#2b2e34"
COLOURS = {
    "green": "#73bf69",
    "yellow": "#fade2a",
    "orange": "#ff9830",
    "red": "#f2495c",
    "blue": "#5794f2",
    "purple": "#b877d9",
}
PALETTE = ("#73bf69", "#5794f2", "#ff9830", "#b877d9", "#fade2a", "#f2495c", "#8ab8ff")


def named(legend: str, metric: dict[str, str]) -> str:
    """A series' name, its labels filled in; a shard's long name loses its middle, to be readable in a small picture."""
    for label, value in metric.items():
        short = f"shard …{value[-8:]}" if label == "shard" else value
        legend = legend.replace(f"{{{{{label}}}}}", short)
    return legend


def formatted(value: float, unit: str, *, axis: bool = False, decimals: int | None = None) -> str:
    """As Grafana would have it, more or less."""
    if decimals == 0:
        value = round(value)
    if unit == "percentunit":
        return f"{value * 100:.{0 if axis else 1}f} %"
    if unit == "s":
        if value >= 120:
            return f"{value / 60:.3g} min"
        return f"{value * 1000:.3g} ms" if 0 < value < 0.9995 else f"{value:.3g} s"
    scaled, prefix = value, ""
    for prefix in ("", " K", " M", " G"):  # noqa: B007  # the one that it stops at
        if scaled < 1000:
            break
        scaled /= 1000
    text = f"{scaled:.3g}"
    suffix = {"cps": "c/s", "reqps": "req/s", "Bps": "B/s"}.get(unit, "")
    return f"{text}{prefix or (' ' if suffix else '')}{suffix}"
