"""The figures that README and docs tell: they are those of figures.json, and none stands for itself."""

from __future__ import annotations

import re

import pytest

from processor.commands.copy import estimate
from processor.startup import java
from tests.bench import statements
from tests.bench.performance import Measured

# A number with a unit in which something was, or could have been, measured.
_MEASURE = re.compile(
    r"\d[\d,.]*(?: to [\d,.]+)? ?(?:s|ms|µs|MB|GB|%|\$|seconds?|minutes?|hours?|changes|records|items)(?![\w])"
)
# On the first pages: limits, a sum of prices, the suite's own time. Each as it stands there.
_NOT_MEASURED = {
    "README.md": ("46 $", "23.5 hours", "24 hours", "25 minutes"),
    "docs/index.md": ("23.5 hours", "24 hours"),
}


@pytest.mark.parametrize("page", statements.pages())
def test_a_page_tells_what_was_measured(page: str) -> None:
    """``./test.sh bench --write`` has written its figures."""
    text = (java.ROOT / page).read_text()
    assert statements.rendered(page, text, Measured()) == text


def test_every_figure_of_a_statement_is_measured() -> None:
    """By the name that its bench gives it."""
    measured = Measured()
    for statement in statements.STATEMENTS:
        for figure in statement.figures:
            assert statements.value(figure, measured) is not None, figure


def test_a_copy_is_planned_by_less_than_was_measured() -> None:
    """The pages count with what the plan counts with: what a process copies at least, and two do."""
    told = {"docs/copy.md": 1, "docs/tuning.md": 2}
    for page, processes in told.items():
        assert f"{processes * estimate.ITEMS_PER_SECOND:,.0f} items a second" in (java.ROOT / page).read_text()
    row = Measured().row("copy, 1 process, items/s")
    assert row is not None
    assert row["min"] > estimate.ITEMS_PER_SECOND


@pytest.mark.parametrize("page", _NOT_MEASURED)
def test_no_figure_of_the_first_pages_stands_for_itself(page: str) -> None:
    """A number with a unit is in a statement, in a row of the settings, or is no measure."""
    text = re.sub(
        r"--8<-- \[start:settings\].*?--8<-- \[end:settings\]", "", (java.ROOT / page).read_text(), flags=re.DOTALL
    )
    for statement in statements.STATEMENTS:
        if statement.page == page:
            text = statements.pattern(statement.text).sub("", text)
    assert sorted(set(_MEASURE.findall(text))) == sorted(_NOT_MEASURED[page])


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [(34_867.1, 3, "34,900"), (0.088, 1, "0.09"), (6.97, 1, "7"), (2.568, 2, "2.6"), (9.96, 2, "10"), (1.0, 2, "1.0")],
)
def test_a_figure_has_the_digits_that_a_reader_wants(value: float, digits: int, told: str) -> None:
    """No more than the measure is worth."""
    assert statements.rounded(value, digits) == told
