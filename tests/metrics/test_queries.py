"""Dashboard, alarms and page speak of metrics that there are, in queries that Prometheus understands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from processor.metrics.cloudwatch_names import NAMES
from processor.metrics.instruments import INSTRUMENTS, OUTCOMES, PREFIX, RETRY_REASONS, VERDICTS
from processor.startup import java

DOCS = java.ROOT / "docs"
PROMTOOL = shutil.which("promtool", path=f"{java.ROOT}/.prometheus/usr/bin") or shutil.which("promtool")
# What Prometheus adds: the target's.
_TARGET = {"instance", "job"}
_VALUES = {"outcome": OUTCOMES, "verdict": VERDICTS, "reason": RETRY_REASONS}
# Grafana's own variables, as it would fill them in.
_GRAFANA = {"$task": "orders", "$shard": ".*", "$__rate_interval": "1m", "$__range": "1h"}


def _known() -> dict[str, set[str]]:
    """Each series name that Prometheus has of us, with its labels."""
    known = {"up": _TARGET}
    for each in INSTRUMENTS:
        labels = {*each.label_names, *_TARGET}
        if each.kind == "histogram":
            known |= {f"{each.name}_bucket": {*labels, "le"}, f"{each.name}_sum": labels, f"{each.name}_count": labels}
        else:
            known[each.name] = labels
    return known


KNOWN = _known()
DASHBOARD: dict[str, Any] = json.loads((DOCS / "metrics" / "dashboard.json").read_text())
ALARMS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((DOCS / "metrics" / "alarms.yml").read_text())["groups"] for rule in group["rules"]
]


def _filled(query: str) -> str:
    for name, value in _GRAFANA.items():
        query = query.replace(name, value)
    return query


def _queries() -> Iterator[Any]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield pytest.param(_filled(target["expr"]), id=f"{panel['title']}-{target['refId']}")
    for rule in ALARMS:
        yield pytest.param(rule["expr"], id=rule["alert"])


def _parts(expression: Any) -> Iterator[Any]:
    """An expression and all that it is made of."""
    yield expression
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        part = getattr(expression, name, None)
        if part is not None:
            yield from _parts(part)
    for part in getattr(expression, "args", None) or ():
        yield from _parts(part)


@pytest.mark.parametrize("query", list(_queries()))
def test_a_query_is_understood_and_its_metrics_are_ours(query: str) -> None:
    """Every name is an instrument's, every label one that it has, every value of a label one that is counted."""
    parts = list(_parts(promql_parser.parse(query)))
    selectors = [part for part in parts if isinstance(part, promql_parser.VectorSelector)]
    assert selectors
    labels: set[str] = set()
    for selector in selectors:
        assert selector.name in KNOWN
        labels |= KNOWN[selector.name]
        for matcher in selector.matchers.matchers:
            assert matcher.name in KNOWN[selector.name]
            assert matcher.value in _VALUES.get(matcher.name, (matcher.value,))
    for grouped in re.findall(r"(?:by|on) \(([^)]*)\)", query):
        assert {name.strip() for name in grouped.split(",")} <= labels


def test_the_dashboard_shows_every_instrument() -> None:
    """What is measured can be seen."""
    text = " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ()))
    shown = {each.name for each in INSTRUMENTS if re.search(rf"\b{each.name}(_bucket)?\b", text)}
    assert {each.name for each in INSTRUMENTS} - shown == {f"{PREFIX}batches_total"}  # apply_seconds counts them too


def test_panels_have_ids_and_places_of_their_own() -> None:
    """No panel lies over another, none past Grafana's 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_every_alarm_says_what_to_do() -> None:
    """Each has a severity, a summary and a description; the page has a row for each."""
    page = (DOCS / "metrics.md").read_text()
    for rule in ALARMS:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} == set(rule["annotations"])
        assert f"| `{rule['alert']}` |" in page


def test_the_page_has_every_metric() -> None:
    """docs/metrics.md has a row for each instrument: name, kind, labels, help, CloudWatch's names."""
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", (DOCS / "metrics.md").read_text(), re.MULTILINE
    )
    names: dict[str, list[str]] = {}
    for (instrument, _), name in NAMES.items():
        names.setdefault(instrument, []).append(f"`{name.name}`" + ("*" if name.each_shard else ""))
    expected = [
        (
            each.name.removeprefix(PREFIX),
            each.kind,
            ", ".join(f"`{label}`" for label in each.labels),
            each.help,
            ", ".join(names.get(each.name, ())),
        )
        for each in INSTRUMENTS
    ]
    assert expected == rows


def test_cloudwatch_alarms_are_on_metrics_that_are_sent() -> None:
    """Each alarm of the template is on one of our metrics at the task's level, in its unit."""
    template = yaml.safe_load((DOCS / "metrics" / "cloudwatch-alarms.yml").read_text())
    units = {name.name: name.unit for name in NAMES.values()}
    alarms = {name: each["Properties"] for name, each in template["Resources"].items()}
    assert alarms
    for name, alarm in alarms.items():
        metrics = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", ()) if "MetricStat" in each] or [alarm]
        for metric in metrics:
            assert metric["MetricName"] in units, name
            assert "Dimensions" not in metric
            assert metric["Namespace"] == {"Fn::Sub": "DynamoDBCrossRegionReplication${TaskName}"}
        assert alarm["TreatMissingData"] in {"notBreaching", "breaching"}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here: ./test.sh prometheus")
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", DOCS / "metrics" / "alarms.yml"), ("test", "rules", Path(__file__).parent / "alarms.test.yml")],
)
def test_prometheus_rings_when_it_should(arguments: tuple[object, ...]) -> None:
    """Prometheus's own tool takes the rules, and each rings, and does not, over the histories of alarms.test.yml."""
    assert PROMTOOL is not None
    ran = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
