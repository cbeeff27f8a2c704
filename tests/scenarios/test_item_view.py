"""A view of the items, at the one seam: the daemon and every command keep to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processor.commands.demo.workload import scan
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.command import command, end_of
from tests.fakes.machine.planted import planted_checkout
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair

# What is hidden is not at the destination, and nobody's name is.
VIEW = {
    "processor/dynamodb/item_view.py": (
        "    return None\n",
        """
    def view(item: msgspec.Raw) -> msgspec.Raw | None:
        attributes = _decoder.decode(item)
        return None if "hidden" in attributes else without("name")(item)

    return view
""",
    )
}
HIDDEN = {"hidden": {"BOOL": True}}
NAMED = {"name": {"S": "Ada"}, "n": {"N": "1"}}


def test_every_writer_keeps_to_the_view(pair: Pair, replicator: Callable[..., Replicator], tmp_path: Path) -> None:
    """Copied, replicated, replicated from shown to hidden and back, verified, repaired."""
    root = planted_checkout(tmp_path / "planted", VIEW)

    def seen() -> dict[str, Any]:
        items = scan(pair.source, pair.source_table)
        return {
            key: {name: value for name, value in item.items() if name != "name"}
            for key, item in items.items()
            if "hidden" not in item
        }

    def is_equal() -> bool:
        return pair.replicated() == seen()

    for number in range(30):
        pair.put(f"copied-{number:02}", **(HIDDEN if number % 3 == 0 else NAMED))
    status, output, errors = end_of(command("copy", pair.settings, "--json", root=root))
    assert (status, errors.count("ERROR")) == (0, 0), output
    assert is_equal()
    with replicator(pair.settings, root=root):
        pair.put("shown then hidden", **NAMED)
        pair.put("hidden then shown", **HIDDEN)
        pair.put("hidden and deleted", **HIDDEN)
        pair.put("shown and deleted", **NAMED)
        pair.put("copied-01", **HIDDEN)
        until(is_equal, "what is seen of the source")
        pair.put("shown then hidden", **HIDDEN)
        pair.put("hidden then shown", **NAMED)
        pair.delete("hidden and deleted")
        pair.delete("shown and deleted")
        until(is_equal, "what is seen of the source")
        assert "hidden then shown" in pair.replicated()
    status, output, _ = end_of(command("verify", pair.settings, "--recheck", "0", "--json", root=root))
    assert (status, json.loads(output)["equal"]) == (0, len(seen()))
    pair.destination.put_item(TableName=pair.destination_table, Item={"id": {"S": "copied-00"}, **HIDDEN})
    pair.destination.delete_item(TableName=pair.destination_table, Key={"id": {"S": "copied-02"}})
    repair = ("--repair", "--deleteExtra", "--recheck", "0")
    status, output, _ = end_of(command("verify", pair.settings, *repair, root=root))
    assert status == 0, output
    assert is_equal()
