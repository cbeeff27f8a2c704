"""Who writes a shard, since when, and where each began: what may be written again, and what may not.

A tenure is one machine's time with a shard. It begins with a checkpoint, from which everything is read again: a replay,
where the tenure before had come further. Within a tenure a key's places only move on.

::

    machine 1   take ── 5 6 7 8 ── killed                5 6 7 8 written, checkpoint at 5
    machine 2                          take ── 6 7 8 9  a replay: allowed, once
    machine 1 (woken)                            ── 7   older than what the holder wrote since: never allowed
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos.journal import Change


@dataclass(slots=True)
class _Tenure:
    floor: float  # the checkpoint it began with
    places: dict[str, int] = field(default_factory=dict)  # key -> the newest place written
    since_taken: dict[str, int] = field(default_factory=dict)  # the same, of the time since the lease was last taken
    began_anew: list[float] = field(default_factory=list)  # checkpoints of later leases of the same process
    replays: bool = False


class Tenures:
    """Told of leases and writes in their order."""

    def __init__(self) -> None:
        self._checkpoints: dict[str, float] = {}
        self._holders: dict[str, tuple[str | None, str]] = {}  # shard -> machine and worker
        self._tenures: dict[tuple[str | None, str], _Tenure] = {}
        self.begun = 0
        self.replays = 0  # tenures that wrote what had been written before
        self.takeovers = 0

    def checkpoint(self, shard: str) -> float:
        """The shard's stored checkpoint, -1 for none yet."""
        return self._checkpoints.get(shard, -1.0)

    def move_checkpoint(self, shard: str, checkpoint: float) -> None:
        """It is stored."""
        self._checkpoints[shard] = checkpoint

    def held_by(self, machine: str | None) -> list[str]:
        """The shards whose lease a machine took last."""
        return [shard for shard, (holder, _) in self._holders.items() if holder == machine]

    def start(self, machine: str | None) -> None:
        """A new process on that machine: it may go on with leases that it finds to be its own."""
        for holder, shard in [tenure for tenure in self._tenures if tenure[0] == machine]:
            del self._tenures[holder, shard]
        for shard in self.held_by(machine):
            self._begin(machine, shard)

    def take(self, machine: str | None, shard: str, owner: str) -> None:
        """A lease changes hands, or is taken again by the same ones."""
        before = self._holders.get(shard)
        self.takeovers += before is not None and before[1] != owner
        self._holders[shard] = (machine, owner)
        tenure = self._tenures.get((machine, shard))
        if tenure is not None and tenure.places:
            tenure.began_anew.append(self.checkpoint(shard))  # its first child may not be through with its batch yet
            tenure.since_taken.clear()
        else:
            self._begin(machine, shard)

    def is_next(self, machine: str | None, change: Change, place: int) -> bool:
        """Whether a machine may write a change next, as far as its key's other writes and the checkpoint go."""
        tenure = self._tenures.get((machine, change.shard))
        written = tenure.places.get(change.key, -1) if tenure else -1
        return place >= written and change.sequence > self.checkpoint(change.shard)

    def write(self, machine: str | None, change: Change, place: int, *, again: bool) -> str | None:
        """A write of a key's change.

        :param place: the change's place among those of its key
        :param again: it was written before, by anyone
        :returns: what is wrong with it
        """
        shard, key = change.shard, change.key
        tenure = self._tenures.get((machine, shard)) or self._begin(machine, shard)
        if place < tenure.places.get(key, -1) and tenure.began_anew:
            tenure = self._tenures[machine, shard] = _Tenure(tenure.began_anew[0], began_anew=tenure.began_anew[1:])
            self.begun += 1
        if again and not tenure.replays:
            tenure.replays = True
            self.replays += 1
        newest = tenure.places.get(key, -1)
        tenure.places[key] = max(place, newest)
        tenure.since_taken[key] = max(place, tenure.since_taken.get(key, -1))
        if place < newest:
            return "went back outside of any replay"
        if change.sequence <= tenure.floor:
            return f"was written again, though the checkpoint had passed it ({tenure.floor:.0f})"
        holder, _ = self._holders.get(shard, (machine, ""))
        held = self._tenures.get((holder, shard))
        if holder != machine and held is not None and place < held.since_taken.get(key, -1):
            return f"was written over a newer change of {holder}, who has the shard now"
        return None

    def _begin(self, machine: str | None, shard: str) -> _Tenure:
        self.begun += 1
        tenure = self._tenures[machine, shard] = _Tenure(self.checkpoint(shard))
        return tenure
