"""What the uplink has left at the hub, of the keys that it has settled last.

An application that writes a key faster than its changes go to the hub and come back meets its own earlier write at the
spoke, which the mirror brings there once more, and writes over it. To the hub that looks like a conflict, for what the
write was made over is not there any more::

    spoke:   A ──▶ B   (the mirror brings A)   A ──▶ C          the hub has B, which the uplink has left there

As long as the hub has what the uplink has left there, nobody else has written the key at the hub since, and the spoke's
next write of it is simply a later one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from hashlib import blake2b

# Of two digests each: some 20 MB of a child at most. A key is needed until its change has come back to the spoke.
_MOST_KEYS = 100_000
_DIGEST_BYTES = 16


class LastWrites:
    """Of one shard, as long as this process reads it; any number of threads may share it.

    :param most_keys: those that were settled last are known
    """

    def __init__(self, most_keys: int = _MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._lock = threading.Lock()
        self._by_key: OrderedDict[bytes, bytes] = OrderedDict()

    def of(self, identity: bytes) -> bytes | None:
        """What ``fingerprint`` makes of what was left of a key; None if that is not known."""
        return self._by_key.get(_digest(identity))

    def keep(self, identity: bytes, content: bytes | None) -> None:
        """What was left.

        :param content: the item's canonical form; None for no item
        """
        key = _digest(identity)
        with self._lock:
            self._by_key[key] = fingerprint(content)
            self._by_key.move_to_end(key)
            if len(self._by_key) > self._most_keys:
                self._by_key.popitem(last=False)

    def forget(self, identity: bytes) -> None:
        """Somebody else has written the key."""
        with self._lock:
            self._by_key.pop(_digest(identity), None)


def fingerprint(content: bytes | None) -> bytes:
    """Tells one item from another.

    :param content: its canonical form, which has its key and so is never empty; None for no item
    """
    return _digest(content or b"")


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=_DIGEST_BYTES).digest()
