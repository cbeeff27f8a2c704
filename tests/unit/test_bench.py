"""What the bench makes of what it saw, and what docs/performance.md says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import performance
from tests.bench.figures import rows
from tests.bench.goals import GOALS
from tests.bench.performance import Measured
from tests.bench.processes import Course, Sample


def _sample(at: float, done: float, cpu: float, megabytes: float = 100.0) -> Sample:
    return Sample(at, done, {"child": cpu}, {"child": megabytes}, {"child": 2})


COURSE = Course([_sample(10, 100, 1.0), _sample(11, 300, 1.2, 130), _sample(13, 1000, 1.9)])


def test_a_window_begins_and_ends_between_two_looks() -> None:
    """A fifth is done half way from the first look to the second; the rate and the CPU are of what comes after."""
    window = COURSE.between(0.2)
    assert window.first.at == pytest.approx(10.5)
    assert window.rate == pytest.approx(800 / 2.5)
    assert window.cpu_micros("child") == pytest.approx(0.8 / 800 * 1e6)


def test_a_window_begins_no_earlier_than_the_first_look() -> None:
    """Where more was done by then, it counts from there."""
    window = COURSE.between(0.05)
    assert window.first == COURSE.samples[0]
    assert window.rate == pytest.approx(300)


def test_the_most_memory_is_told() -> None:
    """Wherever in the run it was taken."""
    assert COURSE.peak_megabytes("child") == 130


def test_the_page_tells_what_was_measured() -> None:
    """Its tables are those that the figures beside it make."""
    page = performance.PAGE.read_text()
    assert performance.rendered(page, Measured()) == page
    assert "not measured" not in page


def test_what_was_measured_anew_replaces_only_its_own(tmp_path: Path) -> None:
    """Other benches' figures stay, and a measure without one says so."""
    file = tmp_path / "figures.json"
    figure = "drain: records/s"
    Measured(file).keep({"CPU": "one"}, {"drain": rows({figure: [5.0]}), "child": rows({"a": [1.0]})})
    Measured(file).keep({"CPU": "two"}, {"drain": rows({figure: [6.0, 7.0, 11.0]})})
    measured = Measured(file)
    assert measured.shown(figure, spread=True) == "7 (6 to 11)"
    assert measured.shown("a") == "1"
    assert measured.shown("8 shards: records/s") == "not measured yet"


def test_every_figure_of_the_page_is_measured_by_the_bench_beside_it() -> None:
    """A goal's figures stand in the rows of the benches that its command names."""
    measured = Measured()
    for goal in GOALS:
        benches = goal.bench.split()
        if set(benches) <= measured.benches.keys():
            names = {row["figure"] for bench in benches for row in measured.benches[bench]}
            assert {figure.partition("|")[0] for figure in (*goal.figures, *goal.limits[1::2])} <= names
