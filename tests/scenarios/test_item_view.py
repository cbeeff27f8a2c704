"""Settings that choose and reshape items, on the real daemon and in every command."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from processor.commands.demo.workload import scan
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.command import command, end_of
from tests.fakes.patience import until
from tests.scenarios.conftest import MakeFleet, Pair

MakeReplicator = Callable[..., Replicator]
KEY = "a key of sixteen bytes, for tests"
# What is hidden is not at the destination, nobody's name is, and addresses are masked.
VIEW = {
    "filter": "attribute_not_exists(#h) AND NOT begins_with(id, :none)",
    "filterNames": '{"#h": "hidden"}',
    "filterValues": '{":none": {"S": "never-"}}',
    "excludeAttributes": "name,profile.phone",
    "maskAttributes": "email",
    "maskKey": "env:MASK",
    "renameAttributes": "n=number",
    "setAttributes": '{"origin": {"S": "here"}}',
}
HIDDEN = {"hidden": {"BOOL": True}}
SHOWN = {
    "name": {"S": "Ada"},
    "n": {"N": "1"},
    "email": {"S": "ada@example.com"},
    "profile": {"M": {"phone": {"S": "1"}, "city": {"S": "x"}}},
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASK", KEY)


def _seen(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the destination is to have of an item, by words of this test's own."""
    if "hidden" in item or item["id"]["S"].startswith("never-"):
        return None
    seen = {name: value for name, value in item.items() if name not in {"name", "n", "email", "profile"}}
    if "n" in item:
        seen["number"] = item["n"]
    if "email" in item:
        form = json.dumps(item["email"], separators=(",", ":")).encode()
        seen["email"] = {"S": hmac.new(KEY.encode(), form, "sha256").hexdigest()}
    if "profile" in item:
        seen["profile"] = {"M": {"city": item["profile"]["M"]["city"]}}
    return seen | {"origin": {"S": "here"}}


class Stage:
    """A pair of tables and the settings between them."""

    def __init__(self, pair: Pair, **more: str) -> None:
        self.pair = pair
        self.settings = pair.settings | VIEW | more

    def seen(self) -> dict[str, Any]:
        """What is to be at the destination."""
        items = scan(self.pair.source, self.pair.source_table)
        return {key: seen for key, item in items.items() if (seen := _seen(item)) is not None}

    def is_equal(self) -> bool:
        """Whether it is."""
        return self.pair.replicated() == self.seen()

    def run(self, name: str, *options: str, status: int = 0) -> Any:
        """A command to its end; what it prints as JSON."""
        found, output, errors = end_of(command(name, self.settings, *options, "--json"))
        assert found == status, (output, errors)
        assert KEY not in output + errors
        return json.loads(output)


def test_every_writer_keeps_to_the_view(pair: Pair, replicator: MakeReplicator) -> None:
    """Copied, replicated, replicated from shown to hidden and back, verified, repaired."""
    stage = Stage(pair)
    for number in range(30):
        pair.put(f"copied-{number:02}", **(HIDDEN if number % 3 == 0 else SHOWN))
    report = stage.run("copy")
    assert (report["items"], report["filtered"]) == (20, 10)
    assert stage.is_equal()
    with replicator(stage.settings) as running:
        pair.put("shown then hidden", **SHOWN)
        pair.put("hidden then shown", **HIDDEN)
        pair.put("hidden and deleted", **HIDDEN)
        pair.put("shown and deleted", **SHOWN)
        pair.put("copied-01", **HIDDEN)
        until(stage.is_equal, "what is seen of the source")
        pair.put("shown then hidden", **HIDDEN)
        pair.put("hidden then shown", **SHOWN)
        pair.delete("hidden and deleted")
        pair.delete("shown and deleted")
        until(stage.is_equal, "what is seen of the source")
        assert "hidden then shown" in pair.replicated()
        assert running.stop() == 0
        assert "filtered=" in running.log()
        for text in (running.console, running.log(), running.log("daemon.properties"), running.log("child.json")):
            assert KEY not in text
            assert "ada@example.com" not in text
    assert stage.run("verify", "--recheck", "0")["equal"] == len(stage.seen())
    pair.destination.put_item(TableName=pair.destination_table, Item={"id": {"S": "copied-00"}, **HIDDEN})
    pair.destination.delete_item(TableName=pair.destination_table, Key={"id": {"S": "copied-02"}})
    pair.destination.put_item(TableName=pair.destination_table, Item={"id": {"S": "copied-04"}, **SHOWN})
    found = stage.run("verify", "--recheck", "0", status=1)
    assert (found["extra"], found["missing"], found["different"]) == (1, 1, 1)
    assert stage.run("verify", "--repair", "--deleteExtra", "--recheck", "0")["repaired"] == 3
    assert stage.is_equal()


def _moves(stage: Stage, stop: threading.Event, moved: list[str]) -> None:
    """Items move in and out of the filter, change and go, until it is stopped."""
    chance = random.Random(1)
    while not stop.wait(0.005):
        key, what = f"item-{chance.randrange(30):02}", chance.choice(["shown", "shown", "hidden", "deleted"])
        if what == "deleted":
            stage.pair.delete(key)
        else:
            stage.pair.put(key, **(SHOWN if what == "shown" else HIDDEN), v={"N": str(len(moved))})
        moved.append(key)


@contextlib.contextmanager
def _moving(stage: Stage) -> Iterator[list[str]]:
    stop, moved = threading.Event(), list[str]()
    mover = threading.Thread(target=_moves, args=(stage, stop, moved))
    mover.start()
    try:
        yield moved
    finally:
        stop.set()
        mover.join()


@pytest.mark.parametrize("mode", ["batch", "fenced"])
def test_items_move_in_and_out_of_the_filter(pair: Pair, replicator: MakeReplicator, mode: str) -> None:
    """Through kill -9, a copy beside the replication, and a repair: in the end verify finds both tables equal."""
    stage = Stage(pair, writeMode=mode, checkpointIntervalMillis="300")
    with _moving(stage) as moved:
        until(lambda: len(moved) > 50, "some items")
        running = replicator(stage.settings).start()
        until(lambda: bool(pair.replicated()), "the first item")
        for _ in range(2):
            before = len(moved)
            until(lambda before=before: len(moved) > before + 50, "more changes")  # type: ignore[misc]  # at once
            running.stop(signal.SIGKILL)
            running.start()
        assert stage.run("copy", "--concurrent")["concurrent"]
        stage.run("verify", "--repair", "--deleteExtra", "--recheck", "2")
    found = stage.run("verify")
    assert found["complete"]
    assert found["equal"] == len(stage.seen())
    assert running.stop() == 0
    assert running.log().count("ERROR") == 0


HOOK = """
print("the hook is there")

def view(item):
    print("called")
    if "bad" in item:
        raise ValueError(item["bad"]["S"])
    if "worse" in item:
        raise KeyboardInterrupt(item["worse"]["S"])
    if "wrong" in item:
        return {"id": {"S": "another"}}
    if "gone" in item:
        return None
    item["made"] = {"S": item["id"]["S"].upper()}
    return item
"""


def test_a_transform_is_a_guest(pair: Pair, replicator: MakeReplicator, tmp_path: Path) -> None:
    """What it raises or returns by mistake is set aside with the source's item; once mended, redrive writes it."""
    folder, letters = tmp_path / "transforms", tmp_path / "letters.jsonl"
    folder.mkdir(mode=0o755)
    (folder / "scenario_guest.py").write_text(HOOK)
    settings = pair.settings | {
        "transform": "scenario_guest:view",
        "transformPath": str(folder),
        "onError": "deadLetter",
        "deadLetterUri": letters.as_uri(),
    }
    pair.put("copied", a={"N": "1"})
    pair.put("unseen", gone={"S": "x"})
    pair.put("copied badly", worse={"S": "a secret"})
    status, output, _ = end_of(command("preview", settings, "--json"))
    assert (status, "raised KeyboardInterrupt at scenario_guest.py:9" in output) == (1, True)
    status, output, errors = end_of(command("copy", settings, "--json"))
    assert (status, json.loads(output)["items"]) == (0, 2), errors  # what is printed is no part of the output
    assert pair.replicated()["copied"]["made"] == {"S": "COPIED"}
    running = replicator(settings).start()
    pair.put("bad", bad={"S": "a secret"}, version={"N": "1"})
    pair.put("worse", worse={"S": "a secret"})
    pair.put("wrong", wrong={"S": "another secret"})
    pair.put("good")
    pair.wait_for("good")
    found: dict[str, Any] = {}

    def is_set_aside() -> bool:
        lines = letters.read_text().splitlines()
        found.update((entry["key"]["id"]["S"], entry) for entry in map(json.loads, lines))
        return found.keys() >= {"bad", "worse", "wrong", "copied badly"}

    until(is_set_aside, "the letters of four keys")
    assert found["bad"]["newImage"]["bad"] == {"S": "a secret"}
    assert found["bad"]["error"] == "TransformFailed"
    assert "raised ValueError at scenario_guest.py:7, in view" in found["bad"]["reason"]
    assert "raised KeyboardInterrupt at scenario_guest.py:9, in view" in found["worse"]["reason"]
    assert found["copied badly"]["error"] == "TransformFailed"
    assert found["wrong"]["error"] == "TransformResultInvalid"
    assert "secret" not in running.console + running.log()
    assert running.stop() == 0

    status, output, _ = end_of(command("verify", settings, "--recheck", "0", "--json"))
    assert (status, {entry["outcome"] for entry in json.loads(output)["keys"]}) == (1, {"missing"})
    (folder / "scenario_guest.py").write_text("def view(item):\n    return None if 'gone' in item else item\n")
    status, output, errors = end_of(command("redrive", settings, "--json"))
    assert (status, json.loads(output)["applied"]) == (0, 4), errors
    assert {"bad", "worse", "wrong", "copied badly"} <= pair.replicated().keys()
    status, _, errors = end_of(command("check", settings, "--json"))
    status, output, errors = end_of(command("check", settings))
    assert (status, "were written with other settings" in errors) == (0, True)
    status, output, errors = end_of(command("verify", settings, "--repair", "--deleteExtra", "--recheck", "0"))
    assert status == 0, errors
    status, output, errors = end_of(command("check", settings))
    assert (status, "were written with other settings" in errors) == (0, False)


@pytest.mark.parametrize("mode", ["batch", "fenced"])
def test_what_ttl_deletes_stays_in_an_archive(make_fleet: MakeFleet, mode: str) -> None:
    """With ttlDeletes=ignore; what an application deletes goes there, too, and what the filter leaves out."""
    fleet = make_fleet(
        shards=1, ttlDeletes="ignore", writeMode=mode, filter="attribute_exists(expires)", excludeAttributes="secret"
    )
    simulator, past = fleet.simulator, {"expires": {"N": "1"}, "secret": {"S": "x"}}
    daemon = fleet.start()
    for name in ("expired", "deleted", "again", "left"):
        simulator.put({"id": {"S": name}, **past})
    simulator.put({"id": {"S": "enters"}})
    simulator.put({"id": {"S": "last"}, **past})
    until(lambda: fleet.replicated("last"), "the items")
    assert daemon.stop() == 0
    simulator.delete({"id": {"S": "expired"}}, by_ttl=True)
    simulator.put({"id": {"S": "enters"}, **past})
    simulator.delete({"id": {"S": "enters"}}, by_ttl=True)
    for name in ("again", "left"):
        simulator.delete({"id": {"S": name}}, by_ttl=True)
    simulator.put({"id": {"S": "again"}, "version": {"N": "2"}, **past})
    simulator.put({"id": {"S": "left"}})
    simulator.delete({"id": {"S": "deleted"}})
    simulator.delete({"id": {"S": "last"}})
    daemon = fleet.start()
    until(lambda: fleet.replicated("last") is None, "the deletes")
    assert daemon.stop() == 0
    there = {name: fleet.replicated(name) for name in ("expired", "deleted", "again", "left", "enters")}
    assert [name for name, item in there.items() if item] == ["expired", "again", "enters"]
    assert (there["again"] or {})["version"] == {"N": "2"}
    assert not any("secret" in (item or {}) for item in there.values())


def test_what_is_left_out_is_counted_in_the_leases_row(make_fleet: MakeFleet) -> None:
    """Each record once, by whatever daemon: through kill -9, a clean stop, another daemon, and the shard's end."""
    fleet = make_fleet(shards=1, filter="attribute_exists(a)")
    simulator, (shard,), written = fleet.simulator, fleet.simulator.open_shards(), 0

    def write(number: int) -> None:
        nonlocal written
        for each in range(written, written + number):
            simulator.put({"id": {"S": f"out-{each}"}})
        written += number
        simulator.put({"id": {"S": f"in-{written}"}, "a": {"N": "1"}})

    def counted() -> bool:
        lease = fleet.lease(shard.id)
        return lease is not None and lease.filtered == written

    daemon = fleet.start()
    write(7)
    until(counted, "the count of the first records")
    daemon.stop(signal.SIGKILL)
    write(5)
    daemon.start()
    until(counted, "the count of the daemon that was started again")
    assert daemon.stop() == 0
    write(4)
    other = fleet.start()
    until(counted, "the count of another daemon")
    write(3)
    simulator.roll_over(shard.id)
    until(lambda: (lease := fleet.lease(shard.id)) is not None and lease.finished, "the shard's end")
    assert counted()
    assert other.stop() == 0


def test_what_cannot_be_used_is_said_before_the_start(pair: Pair, replicator: MakeReplicator) -> None:
    """At once, with 22, and by a command, too."""
    running = replicator(Stage(pair, filter="size(").settings).start()
    assert running.wait() == 22
    assert "size(\n" in running.console
    assert end_of(command("verify", Stage(pair, maskKey="env:NOTHING_OF_THAT_NAME").settings))[0] == 22
    status, _, errors = end_of(command("copy", Stage(pair).settings, "--viaS3", "s3://bucket/prefix"))
    assert (status, "every item whole" in errors) == (22, True)


def test_binary_values_pass_a_filter_in_copy(pair: Pair) -> None:
    """A value of the filter's goes to Scan as it is in the settings: base64."""
    value = base64.b64encode(b"\x00\xff").decode()
    pair.put("shown", b={"B": b"\x00\xff"})
    pair.put("hidden", b={"B": b"\x01"})
    settings = pair.settings | {"filter": "b = :b", "filterValues": json.dumps({":b": {"B": value}})}
    status, _, errors = end_of(command("copy", settings))
    assert (status, list(pair.replicated())) == (0, ["shown"]), errors


def test_an_item_that_grows_past_what_dynamodb_takes(pair: Pair, tmp_path: Path) -> None:
    """By setAttributes: refused by the destination, so it is set aside with the reason, and all others are copied."""
    letters = tmp_path / "letters.jsonl"
    pair.put("large", data={"S": "x" * (400 * 1024 - 500)})
    pair.put("small")
    settings = pair.settings | {
        "setAttributes": json.dumps({"more": {"S": "y" * 1000}}),
        "onError": "deadLetter",
        "deadLetterUri": letters.as_uri(),
    }
    status, _, errors = end_of(command("copy", settings))
    assert (status, list(pair.replicated())) == (0, ["small"]), errors
    (letter,) = map(json.loads, letters.read_text().splitlines())
    assert (letter["key"]["id"]["S"], letter["error"]) == ("large", "ValidationException")
    assert "size" in letter["reason"]
    assert "more" not in letter["newImage"]


def test_a_daemon_with_other_settings_waits(make_fleet: MakeFleet) -> None:
    """Until the last one with the earlier ones has ended; then it goes on by itself."""
    fleet = make_fleet(shards=1, filter="attribute_exists(a)")
    first = fleet.start()
    fleet.simulator.put({"id": {"S": "seen"}, "a": {"N": "1"}})
    until(lambda: fleet.replicated("seen"), "the first item")
    second = fleet.start(filter="attribute_exists(b)")
    until(lambda: "run with other settings for what is left out" in second.console, "what it waits for")
    assert first.stop() == 0
    fleet.simulator.put({"id": {"S": "seen by the second"}, "b": {"N": "1"}})
    until(lambda: fleet.replicated("seen by the second"), "the second item")
    assert second.stop() == 0
    third = fleet.start()
    until(lambda: "were written with other settings" in third.console, "that both have written")
    fleet.simulator.put({"id": {"S": "seen by the third"}, "a": {"N": "1"}})
    until(lambda: fleet.replicated("seen by the third"), "the third item")  # a signal before Java listens just ends it
    assert third.stop() == 0
