"""Two-way's tables on DynamoDB Local: each kind of change, and what stands in its way."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import boto3
import pytest

from processor.aws.client_calls import ClientCalls
from processor.aws.timeouts import WriteTimeouts
from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.dynamodb.keys import identity_of
from processor.errors import UnavailableError
from processor.replication import stream_record
from processor.replication.change import Change
from processor.replication.two_way.chains import chained
from processor.replication.two_way.conflicts import Conflict
from processor.replication.two_way.marker import Markers, Reading
from processor.replication.two_way.stamp import Stamp
from processor.replication.two_way.writer import MirrorTable, UplinkTable
from tests.conftest import REGION, Tables
from tests.fakes.dynamodb.changes import decode
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.streams.stream_record import Item, insert, modify, remove
from tests.fakes.streams.stream_record import stream_record as record
from tests.protocol.conftest import item

NAME = "_replication"
MARKERS = Markers(NAME)
TIMEOUTS = WriteTimeouts(connect=3, read=10)
# All types of values, and a name that needs care.
HARD: Item = {
    "größe": {"B": "AP8="},
    "nothing": {"NULL": True},
    "set": {"NS": ["2", "10"]},
    "map": {"M": {"list": {"L": [{"SS": ["a", "b"]}, {"BOOL": False}, {"S": ""}, {"N": "1.5"}]}}},
}


class Spoke:
    """A spoke with the one key ``k``."""

    def __init__(self, dynamodb: DynamoDBLocal, tables: Tables, **more: Any) -> None:
        self._tables = tables
        self.name = tables.create()
        options = {"region": REGION, "endpoint": dynamodb.endpoint, "connections": 1, "timeouts": TIMEOUTS, **more}
        self.table = MirrorTable(self.name, markers=MARKERS, **options)  # type: ignore[arg-type]

    def has(self, **attributes: Any) -> None:
        """An application's put."""
        self._tables.put(self.name, item("k", **attributes))

    @property
    def item(self) -> Any:
        """What it has."""
        return next(iter(self._tables.items(self.name)), None)

    @property
    def reading(self) -> Reading:
        """What it has, read."""
        change = decode(insert(1, self.item).data)
        found = MARKERS.read(change.image, change.identity)
        assert found is not None
        return found


@pytest.fixture
def spoke(dynamodb: DynamoDBLocal, tables: Tables) -> Spoke:
    """An empty one."""
    return Spoke(dynamodb, tables)


def _put(number: int, **attributes: Any) -> Change:
    return decode(modify(number, item("k", **attributes)).data)


def _delete(number: int) -> Change:
    return decode(remove(number, item("k")).data)


def test_the_mirror_writes_with_markers(spoke: Spoke) -> None:
    """An item of every type is at the spoke as it was, intact, and a replay changes nothing."""
    assert spoke.table.write_one(_put(1, **HARD))
    before = spoke.item
    marker = before.pop(NAME)
    assert before == item("k", **HARD)
    assert spoke.reading.is_intact
    assert not spoke.table.write_one(_put(1, **HARD))
    assert spoke.item == {**before, NAME: marker}


def test_the_mirror_applies_nothing_older(spoke: Spoke) -> None:
    """Neither a put nor a delete, whatever an application has updated since."""
    assert spoke.table.write_one(_put(5, v={"N": "5"}))
    spoke.has(v={"N": "6"}, _replication=spoke.item[NAME])
    assert not spoke.table.write_one(_put(4, v={"N": "4"}))
    assert not spoke.table.write_one(_delete(4))
    assert spoke.item["v"] == {"N": "6"}
    assert spoke.table.write_one(_put(6, v={"N": "7"}))
    assert spoke.item["v"] == {"N": "7"}


@pytest.mark.parametrize("there", [{}, {NAME: {"S": "mine"}}, {NAME: {"M": {"s": {"S": "z" * 40}}}}])
def test_what_is_no_marker_stands_in_nobodys_way(spoke: Spoke, there: Any) -> None:
    """An application's item without one, or with something of its own in the attribute."""
    spoke.has(**there)
    assert spoke.table.write_one(_put(2, v={"N": "2"}))
    assert spoke.reading.is_intact
    spoke.has(**there)
    assert spoke.table.write_one(_delete(3))
    assert spoke.item is None


def test_a_marker_of_another_key_stands_in_nobodys_way(spoke: Spoke) -> None:
    """Though its number is higher than any of this key's."""
    other = decode(insert(900, item("other")).data)
    copied = json.loads(
        bytes(MARKERS.put(other.key, other.identity, sequence_number=10**39, stamp=spoke.table._stamp()))
    )
    spoke.has(_replication=copied[NAME])
    assert spoke.table.write_one(_put(2, v={"N": "2"}))
    assert spoke.item["v"] == {"N": "2"}
    spoke.has(_replication=copied[NAME])
    assert spoke.table.write_one(_delete(3))
    assert spoke.item is None


def test_calls_by_the_library_hear_the_same(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """Where no call can be made directly; what stands in the way has bytes, which the library has in its own form."""
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=dynamodb.endpoint)
    spoke = Spoke(dynamodb, tables, calls=ClientCalls(client))
    other = decode(insert(900, item("other")).data)
    copied = MARKERS.put(other.key, other.identity, sequence_number=10**39, stamp=spoke.table._stamp())
    spoke.has(_replication=json.loads(bytes(copied))[NAME], **HARD)
    assert spoke.table.write_one(_put(2, v={"N": "2"}))
    assert spoke.item["v"] == {"N": "2"}
    assert spoke.table.write_one(_delete(3))
    assert spoke.item is None


def test_a_key_that_is_written_all_the_time_is_left_for_a_while(spoke: Spoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pause, and a word, instead of one request after the other."""
    turns = itertools.count()
    made = spoke.table._made

    def between(request: Any, change: Change) -> Any:
        spoke.has(_replication={"M": {"s": {"S": "z" * 40}, "turn": {"N": str(next(turns))}}})
        return made(request, change)

    monkeypatch.setattr(spoke.table, "_made", between)
    with pytest.raises(UnavailableError) as raised:
        spoke.table.write_one(_put(2))
    assert raised.value.code == "Unsettled"
    monkeypatch.undo()
    assert spoke.table.write_one(_put(2))


def test_nothing_to_delete_makes_no_item(spoke: Spoke) -> None:
    """A mark is an update, which would make one."""
    assert not spoke.table.write_one(_delete(3))
    assert spoke.item is None


def test_a_delete_goes_on_where_it_was_marked(spoke: Spoke) -> None:
    """After a crash between its two calls."""
    spoke.table.write_one(_put(1, v={"N": "1"}))
    mark = MARKERS.deleting(
        _put(1).identity, sequence_number=int(_delete(2).sequence_number), stamp=spoke.table._stamp()
    )
    spoke.has(_replication=json.loads(bytes(mark.stored)))
    assert spoke.table.write_one(_delete(2))
    assert spoke.item is None


class Kept:
    """Keeps conflicts in memory."""

    def __init__(self) -> None:
        self.all: list[Conflict] = []
        self.is_away = False

    def keep(self, change: Change, conflict: Conflict) -> None:  # noqa: ARG002  # the protocol's
        """Or doesn't."""
        if self.is_away:
            raise UnavailableError("fake", code="fake")
        self.all.append(conflict)


class Hub:
    """A hub with the one key ``k``."""

    def __init__(self, dynamodb: DynamoDBLocal | FaultProxy, tables: Tables, policy: Any = "hubWins") -> None:
        self._tables = tables
        self.name = tables.create()
        self.kept = Kept()
        options = {"region": REGION, "endpoint": dynamodb.endpoint, "connections": 1, "timeouts": TIMEOUTS}
        self.table = UplinkTable(self.name, markers=MARKERS, policy=policy, conflicts=self.kept, **options)  # type: ignore[arg-type]

    def has(self, **attributes: Any) -> None:
        """An application's put."""
        self._tables.put(self.name, item("k", **attributes))

    @property
    def item(self) -> Any:
        """What it has."""
        return next(iter(self._tables.items(self.name)), None)


def _seen(old: Item | None, new: Item | None) -> Change:
    """A record of the spoke, as the uplink sees it."""
    kind = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    data = record(kind, 7, key=item("k"), old=old or {}, new=new or {}).data
    (change,) = stream_record.decode(b"[%b]" % data, spoke=MARKERS)
    return change


def _mirrored(number: int, **attributes: Any) -> Item:
    image = decode(insert(1, item("k", **attributes)).data).image
    assert image is not None
    identity = identity_of(decode(insert(1, item("k")).data).key)

    made = MARKERS.put(image, identity, sequence_number=number, stamp=Stamp(1_700_000_000_000, b"nonce!"))
    found: Item = json.loads(bytes(made))
    return found


def test_an_applications_write_goes_up_without_the_marker(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """An update keeps the marker at the spoke; the hub never gets it."""
    hub = Hub(dynamodb, tables)
    hub.has(**HARD)
    old = _mirrored(3, **HARD)
    assert hub.table.write_one(_seen(old, {**old, "set": {"NS": ["3"]}}))
    assert hub.item == item("k", **HARD | {"set": {"NS": ["3"]}})
    assert not hub.table.write_one(_seen(old, {**old, "set": {"NS": ["3"]}}))  # a replay
    assert hub.table.write_one(_seen({**old, "set": {"NS": ["3"]}}, None))
    assert hub.item is None
    assert hub.kept.all == []


def test_an_insert_goes_up(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """An item that only the spoke has."""
    hub = Hub(dynamodb, tables)
    assert hub.table.write_one(_seen(None, item("k", **HARD)))
    assert hub.item == item("k", **HARD)


@pytest.mark.parametrize("number", [None, "9"], ids=["delete", "update"])
def test_answers_without_the_hubs_item_are_not_believed(
    number: str | None, dynamodb: DynamoDBLocal, tables: Tables
) -> None:
    """However many: the spoke's delete would never get to the hub, and its update end as a conflict."""
    with FaultProxy(dynamodb.endpoint) as proxy:
        hub = Hub(proxy, tables)
        hub.has(v={"N": "1"})
        fault = proxy.inject(faults.answer({}), "GetItem")
        new = None if number is None else _mirrored(3, v={"N": number})
        assert hub.table.write_one(_seen(_mirrored(3, v={"N": "1"}), new))
    assert fault.met
    assert hub.item == (None if number is None else item("k", v={"N": number}))
    assert hub.kept.all == []


def test_what_is_no_item_of_the_hubs_is_no_answer(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """The write is made again later, and then goes up."""
    change = _seen(_mirrored(3, v={"N": "1"}), None)
    with FaultProxy(dynamodb.endpoint) as proxy:
        hub = Hub(proxy, tables)
        hub.has(v={"N": "1"})
        proxy.inject(faults.answer({"Item": 5}), "GetItem", times=1)
        with pytest.raises(UnavailableError, match="none of DynamoDB's"):
            hub.table.write_one(change)
        assert hub.table.write_one(change)
    assert hub.item is None


@pytest.mark.parametrize(("seconds_left", "is_conflict"), [(-60, False), (3600, True)])
def test_an_expired_item_of_the_hub_is_no_conflict(
    dynamodb: DynamoDBLocal, tables: Tables, *, seconds_left: int, is_conflict: bool
) -> None:
    """The spoke's TTL has deleted it, and its key is put there anew; one whose time has not come is a conflict."""
    hub = Hub(dynamodb, tables)
    hub.has(user={"S": "old"}, until={"N": str(int(time.time()) + seconds_left)})
    tables.call(
        "UpdateTimeToLive",
        TableName=hub.name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"},
    )
    new = item("k", user={"S": "new"}, until={"N": str(int(time.time()) + 7200)})
    assert hub.table.write_one(_seen(None, new)) != is_conflict
    assert (hub.item == new, len(hub.kept.all)) == (not is_conflict, int(is_conflict))


def test_the_hub_wins(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """Its item stays, and the conflict has both images, without markers."""
    hub = Hub(dynamodb, tables)
    hub.has(v={"N": "2"})
    old = _mirrored(3, v={"N": "1"})
    assert not hub.table.write_one(_seen(old, {**old, "v": {"N": "9"}}))
    assert hub.item == item("k", v={"N": "2"})
    (conflict,) = hub.kept.all
    images = [
        conflict.spoke_old_image and json.loads(bytes(conflict.spoke_old_image)),
        conflict.spoke_image and json.loads(bytes(conflict.spoke_image)),
        conflict.hub_image and json.loads(bytes(conflict.hub_image)),
    ]
    assert images == [item("k", v={"N": number}) for number in "192"]
    assert (conflict.outcome, conflict.hub_sequence_number, conflict.mirrored_ms) == ("hubWins", "3", 1_700_000_000_000)


def test_the_last_arrival_wins(dynamodb: DynamoDBLocal, tables: Tables) -> None:
    """Once the conflict is kept, and not before."""
    hub = Hub(dynamodb, tables, "lastArrival")
    hub.has(v={"N": "2"})
    change = _seen(item("k", v={"N": "1"}), item("k", v={"N": "9"}))
    hub.kept.is_away = True
    with pytest.raises(UnavailableError):
        hub.table.write_one(change)
    assert hub.item == item("k", v={"N": "2"})
    hub.kept.is_away = False
    assert hub.table.write_one(change)
    assert hub.item == item("k", v={"N": "9"})
    assert [conflict.outcome for conflict in hub.kept.all] == ["lastArrival"]


@pytest.mark.parametrize(("policy", "entries"), [("hubWins", 200), ("lastArrival", 1)])
def test_a_long_chain_is_settled_at_once(dynamodb: DynamoDBLocal, tables: Tables, policy: str, entries: int) -> None:
    """Of each write that is lost there is one entry, however many there are; a retry would begin with the first."""
    hub = Hub(dynamodb, tables, policy)
    hub.has(v={"N": "-1"})
    images = [item("k", v={"N": str(number)}) for number in range(201)]
    (change,) = chained([_seen(old, new) for old, new in itertools.pairwise(images)])
    assert hub.table.write_one(change) == (policy == "lastArrival")
    assert len(hub.kept.all) == entries
    assert hub.item == (images[-1] if policy == "lastArrival" else item("k", v={"N": "-1"}))


@pytest.mark.parametrize("is_away", [False, True], ids=["stored at once", "stored later"])
def test_what_no_condition_can_see_is_said(dynamodb: DynamoDBLocal, tables: Tables, *, is_away: bool) -> None:
    """The hub's item gets an attribute between the look and the write, which covers it."""
    hub = Hub(dynamodb, tables)
    hub.has(v={"N": "1"})
    hub.kept.is_away = is_away
    change = _seen(item("k", v={"N": "1"}), item("k", v={"N": "9"}))
    look = hub.table._item

    def looked(change: Change) -> Any:
        found = look(change)
        hub.has(v={"N": "1"}, more={"N": "5"})
        return found

    hub.table._item = looked  # type: ignore[method-assign]
    if is_away:
        with pytest.raises(UnavailableError):
            hub.table.write_one(change)
        hub.table._item = look  # type: ignore[method-assign]
        with pytest.raises(UnavailableError):
            hub.table.write_one(change)
        hub.kept.is_away = False
        assert not hub.table.write_one(change)
    else:
        assert hub.table.write_one(change)
    assert hub.item == item("k", v={"N": "9"})
    (conflict,) = hub.kept.all
    assert conflict.outcome == "hubOverwritten"
    assert conflict.hub_image is not None
    assert json.loads(bytes(conflict.hub_image))["more"] == {"N": "5"}


def test_echoes_are_passed_over() -> None:
    """The mirror's put, its mark, its removal, and what TTL removes."""
    old, new = _mirrored(3, v={"N": "1"}), _mirrored(4, v={"N": "2"})
    marked = {**new, NAME: {"M": {**new[NAME]["M"], "k": {"S": "del"}}}}
    for record_of in ((None, old), (old, new), (new, marked), (marked, None)):
        assert _seen(*record_of).kind == "echo"
    by_ttl = {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}
    (removed,) = stream_record.decode(b"[%b]" % remove(9, item("k"), **by_ttl).data, spoke=MARKERS)
    assert removed.kind == "echo"
    assert removed.spoke_writes == ()
    assert _seen(new, old).kind == "put"
    assert _seen(new, None).kind == "delete"
