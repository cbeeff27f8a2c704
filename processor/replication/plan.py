"""Changes of a batch → the writes to make, in rounds in which no key stands twice.

Pure. Writes of one round may run side by side; the next round starts when all of this one are done. So a key never has
two writes in flight, and its writes keep the stream's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from processor.replication.change import Change, bytes_of

# BatchWriteItem takes 25 puts and deletes of distinct keys (DynamoDB API reference).
MAX_ITEMS_PER_CALL = 25
# Its limit is 16 MB. A call must be sent within a share of the lease (``lease_term.py``), on slow lines too.
MAX_BYTES_PER_CALL = 1024 * 1024


def plan(changes: Sequence[Change]) -> list[list[Change]]:
    """Sort the changes into rounds; no round has a key twice, so the n-th change of a key is in the n-th round.

    :param changes: each of them asks for a write; a key's are in the stream's order
    """
    if len({change.identity for change in changes}) == len(changes):  # coalesced, as nearly all batches are
        return [list(changes)] if changes else []
    rounds: list[list[Change]] = []
    seen: dict[bytes, int] = {}
    for change in changes:
        turn = seen.get(change.identity, 0)
        seen[change.identity] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(change)
    return rounds


def calls(writes: Sequence[Change], *, max_items: int = MAX_ITEMS_PER_CALL) -> Iterator[list[Change]]:
    """Cut one round into calls that fit BatchWriteItem: 25 writes and 16 MB (API reference)."""
    call: list[Change] = []
    size = 0
    for change in writes:
        length = len(bytes_of(change))
        if call and (len(call) == max_items or size + length > MAX_BYTES_PER_CALL):
            yield call
            call, size = [], 0
        call.append(change)
        size += length
    if call:
        yield call
