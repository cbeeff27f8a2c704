"""The matrix's own parts: which cells there are, how answers are spoiled, what the checks find, what is reported."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.network.faulty_server import Answer
from tests.fakes.streams.simulated_stream import Event
from tests.faults import checks, report
from tests.faults.cells import CALLS, FAULTS, MOMENTS, RUNNING, all_cells, chosen, sample
from tests.faults.outcome import FAILED, GOES_ON, NOT_MADE, Outcome
from tests.faults.spoil import places, spoil

PAGE = {
    "Records": [{"eventID": "1", "dynamodb": {"SequenceNumber": "5", "Keys": {"id": {"S": "k"}}}}],
    "NextShardIterator": "next",
}
LEASES = {"Items": [{"leaseKey": {"S": "a"}}, {"leaseKey": {"S": "b"}}], "Count": 2, "LastEvaluatedKey": {"x": {}}}


def spoiled(content: object, kind: str, number: int = 0) -> Any:
    """A JSON answer as the fault leaves it; None where there is nothing to spoil."""
    answer = spoil(Answer(200, json.dumps(content).encode(), {"x-amz-crc32": "1"}), kind, number)
    if answer is None:
        return None
    assert answer.headers == {}, "a checksum of another body would give the fault away"
    return json.loads(answer.body)


def test_every_cell_has_a_name_of_its_own() -> None:
    """And that name chooses it."""
    cells = list(all_cells())
    assert len({cell.name for cell in cells}) == len(cells)
    assert {cell.call for cell in cells} == {*CALLS}
    assert chosen(cells[77].name) == [cells[77]]
    assert {cell.call.site for cell in chosen("DescribeTable")} == {"source", "leases", "destination"}
    assert len(chosen("leases.Scan:denied")) == len(MOMENTS)
    assert len(chosen("::stop")) == len(CALLS) * len(FAULTS)
    assert len(chosen("::shard-end")) < len(CALLS) * len(FAULTS)  # two-way's shards don't end here
    for wrong in ("Scam", "Scan:denied:yesterday", "a:b:c:d"):
        with pytest.raises(ValueError, match="there is no such cell"):
            chosen(wrong)


def test_a_sample_is_its_seed_s() -> None:
    """The same for the same seed, and only of the moments asked for."""
    first = sample(1, RUNNING, count=20)
    assert first == sample(1, RUNNING, count=20) != sample(2, RUNNING, count=20)
    assert len(first) == 20
    assert {cell.moment for cell in first} <= set(RUNNING)


def test_emptied_answers() -> None:
    """Nothing at all, or lists of nothing, after which nothing follows."""
    assert spoiled(PAGE, "empty-object") == {}
    assert spoiled(PAGE, "empty-list") == {"Records": []}
    assert spoiled(LEASES, "empty-list") == {"Items": [], "Count": 0}
    assert spoiled({"UnprocessedItems": {}}, "empty-list") is None
    assert spoiled({}, "empty-object") is None


def test_each_part_is_missing_in_turn() -> None:
    """From the uppermost down; of a listing one element, too, but never a record; and nothing within an item."""
    without = [spoiled(PAGE, "part-missing", number) for number in range(len(list(places(PAGE))))]
    assert without[:2] == [{"NextShardIterator": "next"}, {"Records": PAGE["Records"]}]
    assert all(each["Records"] for each in without[1:]), "a record that is left out can't be known of"
    assert {"Records": [{"eventID": "1"}], "NextShardIterator": "next"} in without
    assert not [each for each in without if "Keys" in str(each) and "'S': 'k'" not in str(each)]
    assert LEASES | {"Items": LEASES["Items"][:1]} in [spoiled(LEASES, "part-missing", number) for number in range(9)]


def test_parts_of_another_type() -> None:
    """No part keeps its type."""
    for number in range(12):
        answer = spoiled(PAGE, "wrong-type", number)
        assert answer != PAGE
        assert isinstance(answer, dict)


def test_answers_that_are_no_json() -> None:
    """STS's XML, S3's tag in a header, and an empty body, of which nothing can be taken."""
    xml = Answer(200, b"<A><B>1</B><C>2</C></A>", {})
    bodies = [spoil(xml, kind, 1) for kind in ("empty-object", "part-missing", "wrong-type")]
    assert [each.body for each in bodies if each] == [
        b"<A/>",
        b"<A><B>1</B></A>",
        b"<A><B>1</B><C><junk>5</junk></C></A>",
    ]
    assert spoil(xml, "empty-list", 0) is None
    assert spoil(Answer(200, b"", {"ETag": "x", "Via": "y"}), "part-missing", 0) == Answer(200, b"", {"Via": "y"})
    assert spoil(Answer(200, b"", {}), "part-missing", 0) is None


# --- The checks ------------------------------------------------------------------------------------------------------


def world(*, rows: dict[str, str], open_shards: list[str]) -> Any:
    """As much of a world as a check looks at; ``rows``: checkpoints."""
    return SimpleNamespace(
        lease_rows=lambda: {shard: {"checkpoint": {"S": text}} for shard, text in rows.items()},
        open_shards=lambda: set(open_shards),
    )


def item(key: str, number: int) -> dict[str, Any]:
    """An item of the matrix's."""
    return {"id": {"S": key}, "write": {"N": str(number)}}


def put(key: str, number: int) -> Event:
    """A change of the only shard; its number is its place."""
    return Event(
        sequence_number=str(number), shard_id="a", kind="MODIFY", key={"id": {"S": key}}, item=item(key, number), at=0.0
    )


def test_a_lease_that_goes_and_one_that_is_finished_too_early_are_found() -> None:
    """But not one that goes when it was finished."""
    before = {name: {"checkpoint": {"S": text}} for name, text in {"a": "5", "b": "7", "done": "SHARD_END"}.items()}
    found = world(rows={"b": "SHARD_END"}, open_shards=["b"])
    assert list(checks.leases(found, before)) == [
        "the lease of a has gone, unfinished",
        "b is open, and its lease says that it is finished",
    ]


def test_a_checkpoint_past_what_is_not_applied_is_found() -> None:
    """A later change of the key will do for an earlier one; a change past the checkpoint need not be there."""
    history = [put("k", 1), put("k", 2), put("l", 3)]

    def passed(checkpoint: str, **items: int) -> list[str]:
        rows = {"a": {"checkpoint": {"S": checkpoint}}}
        return list(checks.passed_unapplied(history, rows, {key: item(key, number) for key, number in items.items()}))

    assert passed("1", k=2) == passed("2", k=2) == passed("TRIM_HORIZON") == []
    assert passed("2", k=1) == ["the checkpoint of a has passed a change of k that is not applied"]
    assert len(passed("SHARD_END")) == 2


def test_different_items_are_named() -> None:
    """The first few, the others as a number."""
    wanted = {f"k{number}": item(f"k{number}", 2) for number in range(5)}
    found = checks.differences(wanted, {"k0": item("k0", 1), "x": item("x", 1)})
    assert found == [
        "k0 is write 1, not write 2",
        "k1 is absent, not write 2",
        "k2 is absent, not write 2",
        "and 3 more",
    ]


def test_what_is_said_of_a_fault_that_passes() -> None:
    """Warnings are told, errors and traces are complaints, and what was said before is nobody's."""
    daemon: Any = SimpleNamespace(console="t ERROR old reason=x\n")
    ear = checks.Ear(daemon)
    daemon.console += "t WARNING writes_delayed code=x\nt NOTICE shard_started\nt ERROR changes_lost note=y\nBUG: z\n"
    assert ear.events("WARNING", "ERROR") == ["writes_delayed", "changes_lost"]
    assert list(ear.complaints(lasting=True)) == [
        "ERROR said: ERROR changes_lost note=y",
        "a trace on the console: BUG:",
    ]


def test_a_shard_is_held_only_by_what_lasts() -> None:
    """An ERROR that says so is true while it lasts, and a false alarm where it happened once."""
    daemon: Any = SimpleNamespace(console="")
    ear = checks.Ear(daemon)
    daemon.console = "t ERROR held shard=a\n"
    assert list(ear.complaints(lasting=True)) == []
    assert list(ear.complaints(lasting=False)) == ["ERROR said: ERROR held shard=a"]


# --- The report ------------------------------------------------------------------------------------------------------


def test_the_report_has_every_cell_and_says_which_failed(tmp_path: Path) -> None:
    """The page is made of the outcomes alone; one that failed stands out in it, and why in the JSON."""
    outcomes = [
        Outcome(cell=cell, word=NOT_MADE if cell.moment == "stop" else GOES_ON, said=("writes_delayed",))
        for cell in all_cells()
    ]
    page = report.page(outcomes, seed=5)
    assert FAILED not in page.partition("## Call and fault")[2]
    assert page == report.page(outcomes[::-1], seed=5)
    (broken,) = chosen("leases.Scan:denied:steady")
    outcomes = [
        Outcome(cell=each.cell, word=FAILED, wrong=("why",)) if each.cell == broken else each for each in outcomes
    ]
    assert f"**{FAILED}**: steady" in report.page(outcomes, seed=5)
    file = tmp_path / "faults.json"
    report.Progress(len(outcomes), file, seed=5, before=outcomes).keep()
    content = json.loads(file.read_text())
    assert content["counts"][FAILED] == 1
    assert [each["wrong"] for each in content["cells"] if "wrong" in each] == [["why"]]


def test_a_run_goes_on_with_what_an_earlier_one_left(tmp_path: Path) -> None:
    """What went well is taken over, what failed is run again; another seed's run is another run."""
    went_well, failed = chosen("leases.Scan:denied")[:2]
    outcomes = [Outcome(cell=went_well, word=GOES_ON, said=("x",)), Outcome(cell=failed, word=FAILED, wrong=("why",))]
    file = tmp_path / "faults.json"
    report.Progress(2, file, seed=5, before=outcomes).keep()
    assert report.read(file, seed=5) == outcomes[:1]
    with pytest.raises(ValueError, match="no report of a run with --seed 6"):
        report.read(file, seed=6)
