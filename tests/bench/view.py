"""What a view of the items costs: a record decoded with each kind of view, and an item passed through it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from processor.dynamodb.item_view import View
from processor.replication.stream_record import decode
from processor.view import task_view
from tests.bench.figures import Figures, Row
from tests.fakes.streams.stream_record import insert, joined
from tests.fakes.task.tasks import task
from tests.scenarios.conftest import Servers

_RECORDS = 500
_RUNS, _ROUNDS = 7, 10
ITEM_BYTES = 300
# Both are told for one record of an INSERT, which has one image; a MODIFY asks the filter twice.
GOALS = {
    "filter, two comparisons: view alone, µs/item": 15.0,
    "two masked attributes: view alone, µs/item": 25.0,
}
NO_VIEW = "no view"
_VALUES = {"filterValues": json.dumps({":t": {"S": "acme"}, ":n": {"N": "100"}})}
# What is measured, and the settings of each.
KINDS: dict[str, dict[str, str]] = {
    NO_VIEW: {},
    "filter, two comparisons": {"filter": "tenant = :t AND amount >= :n"},
    "filter, none passes": {"filter": "tenant <> :t AND amount >= :n"},
    "excluded attribute": {"excludeAttributes": "note"},
    "excluded path": {"excludeAttributes": "address.street"},
    "two masked attributes": {"maskAttributes": "email, phone", "maskKey": "file://{key}"},
    "hook": {"transform": "bench_hook:change", "transformPath": "{folder}"},
}
_ALSO = {name: _VALUES for name in KINDS if name.startswith("filter")}
_HOOK = "def change(item):\n    item['seen'] = {'BOOL': True}\n    return item\n"


def view(_: Servers, folder: Path) -> Figures:
    """A child's part of the work on a record, without writing it."""
    items = [_item(number) for number in range(_RECORDS)]
    batch = joined(insert(number, json.loads(item)).data for number, item in enumerate(items))
    figures: Figures = {}
    for name, made in _views(folder):
        figures[f"{name}: record decoded, µs"] = list(_timed(lambda: decode(batch, made)))  # noqa: B023  # used at once
        if made is not None:
            raw = [msgspec.Raw(item) for item in items]
            figures[f"{name}: view alone, µs/item"] = list(_timed(lambda: [made(item) for item in raw]))  # noqa: B023
    return figures


def show(benches: dict[str, list[Row]]) -> None:
    """Whether the goals are met, if they were measured."""
    found = {row["figure"]: row["median"] for row in benches.get("view", [])}
    if found:
        table = Table("a view of an item of 300 bytes", "goal", "median", "")
        for name, most in GOALS.items():
            table.add_row(name, f"≤ {most:g}", f"{found[name]:.2f}", "met" if found[name] <= most else "MISSED")
        Console().print(table)


def _views(folder: Path) -> Iterator[tuple[str, View | None]]:
    (folder / "bench_hook.py").write_text(_HOOK)
    key = folder / "mask-key"
    key.write_text("0123456789abcdef0123456789abcdef")
    key.chmod(0o600)
    for name, asked in KINDS.items():
        settings = {setting: value.format(key=key, folder=folder) for setting, value in asked.items()}
        yield name, task_view.view_of(task(**settings, **_ALSO.get(name, {})), {"id": "S"})


def _timed(work: Callable[[], object]) -> Iterator[float]:
    """µs a record, several times: the least of some rounds each, for others share the machine."""
    work()
    for _ in range(_RUNS):
        rounds = []
        for _round in range(_ROUNDS):
            began = time.perf_counter()
            work()
            rounds.append(time.perf_counter() - began)
        yield min(rounds) / _RECORDS * 1e6


def _item(number: int) -> bytes:
    """An item of a shop's customer, of about 300 bytes."""
    item = {
        "id": {"S": f"customer-{number:06}"},
        "tenant": {"S": "acme"},
        "amount": {"N": f"{100 + number}.50"},
        "email": {"S": f"ada.{number}@example.com"},
        "phone": {"S": f"+44 20 7946 {number:04}"},
        "address": {"M": {"street": {"S": "12 Long Street"}, "zip": {"N": "12345"}}},
        "note": {"S": ""},
    }
    content = json.dumps(item, separators=(",", ":"))
    return content.replace('"note":{"S":""}', '"note":{"S":"%s"}' % ("x" * (ITEM_BYTES - len(content)))).encode()
