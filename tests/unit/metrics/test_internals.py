"""prometheus_client may change inside: values are then observed one by one, and that is said once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, Histogram

from processor.metrics import internals
from processor.reporting import changed_libraries
from tests.unit.conftest import Event

VALUES = {0.5: 2, 1.5: 1, 9.0: 3}


def _observed() -> dict[str, float]:
    registry = CollectorRegistry()
    histogram = Histogram("h", "help", registry=registry, buckets=(1, 2, 4))
    internals.observe_all(histogram, VALUES)
    internals.observe_all(histogram, VALUES)
    samples = [sample for family in registry.collect() for sample in family.samples]
    return {
        sample.name + sample.labels.get("le", ""): sample.value for sample in samples if "created" not in sample.name
    }


@pytest.mark.parametrize("what", [None, *internals.MEMBERS])
def test_all_values_are_counted(
    what: str | None, monkeypatch: pytest.MonkeyPatch, events: Callable[[], list[Event]]
) -> None:
    """Whatever is missing of a histogram."""
    monkeypatch.setattr(changed_libraries, "_said", set())
    if what is not None:
        monkeypatch.setitem(internals.MEMBERS, what, "_of_another_release")
    assert _observed() == {
        "h_bucket1.0": 4,
        "h_bucket2.0": 6,
        "h_bucket4.0": 6,
        "h_bucket+Inf": 12,
        "h_count": 12,
        "h_sum": 59,
    }
    said = [event.fields["member"] for event in events() if event.name == "library_changed"]
    assert said == ([] if what is None else [f"_of_another_release ({what})"])
