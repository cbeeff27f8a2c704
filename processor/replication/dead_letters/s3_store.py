"""Dead letters in an S3 bucket: one object each, named after the change.

So a change that is met again after a crash replaces its own letter, and daemons on any number of machines may share a
bucket. An object is removed only if it is still the one that was read: the letter of a change that was refused once
more meanwhile stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from processor.aws.s3 import FORBIDDEN, NO_BUCKET, UNSUPPORTED, Bucket
from processor.errors import CredentialsError, DeadLetterError, RefusedError, ThrottledError, UnavailableError
from processor.flow.retry_policy import LETTERS
from processor.replication.dead_letters.letter import DEAD_LETTERS, Entry, Kept, Words, encode, entry, folder_of

# Calls at once where a redrive has many letters to read or remove; botocore keeps up to 10 connections.
THREADS = 8
_REMEDY = "Check {setting}, and allow s3:PutObject on {objects}{others}{owned}"
_OF_REDRIVE = "; for redrive also s3:GetObject and s3:DeleteObject, and s3:ListBucket on the bucket"


class LetterBucket:
    """Implements ``letter.LetterStore`` for the letters of one task.

    :param prefix: where in the bucket; empty, or without a slash at its ends
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        prefix: str,
        task_name: str,
        words: Words = DEAD_LETTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._words = words
        self._bucket = bucket
        self._folder = folder_of(prefix, task_name)
        self._clock = clock
        self._lock = threading.Lock()
        self._refused_since = self._refused_last = float("-inf")
        self.place = f"s3://{bucket.name}/{self._folder}"

    def put(self, letter: Kept) -> None:
        """Store one object.

        :raises UnavailableError: not now
        :raises DeadLetterError: S3 has refused it for a minute, for a reason that does not go away by itself
        """
        try:
            self._bucket.put(f"{self._folder}{letter.shard_id}/{letter.name}.json", encode(letter))
        except (UnavailableError, RefusedError) as exc:
            if isinstance(exc, CredentialsError):
                self._bucket.renew_credentials()
            if not (self._is_for_good(exc) and self._has_lasted()):
                raise _waited_for(exc) from exc
            message = (
                f"The {self._words.what} in {self.place} can't be written ({exc}), so the change with sequence number "
                f"{letter.sequence_number} {self._words.fate}. It is kept, and nothing goes past it. "
                f"{self._remedy()}."
            )
            raise DeadLetterError(message) from exc

    def entries(self) -> Iterator[Entry]:
        """Every object there is; one that goes away meanwhile is left out.

        :raises UnavailableError: S3 can't be reached
        :raises DeadLetterError: S3 refuses to show them
        """
        keys = self._keys()
        with ThreadPoolExecutor(THREADS) as pool:
            while True:
                try:
                    some = list(islice(keys, THREADS * 4))
                    found = list(zip(some, pool.map(self._bucket.get, some), strict=True))
                except (UnavailableError, RefusedError) as exc:
                    raise self._seen(exc, "read") from exc
                if not found:
                    return
                for key, stored in found:
                    if stored:
                        yield entry(f"s3://{self._bucket.name}/{key}", stored.tag, stored.body)

    def count(self, most: int) -> int:
        """Objects, by their names alone.

        :raises UnavailableError: S3 can't be reached
        :raises DeadLetterError: S3 refuses to list them
        """
        try:
            return sum(1 for _ in islice(self._keys(), most + 1))
        except (UnavailableError, RefusedError) as exc:
            raise self._seen(exc, "counted") from exc

    def remove(self, entries: Collection[Entry]) -> int:
        """Remove these objects.

        :raises UnavailableError: S3 can't be reached
        :raises DeadLetterError: S3 refuses to remove them
        """
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                return sum(pool.map(self._remove, entries))
            except (UnavailableError, RefusedError) as exc:
                raise self._seen(exc, "removed") from exc

    def _keys(self) -> Iterator[str]:
        """Names of letters; one that ends with a slash is a folder that somebody made in a browser."""
        return (key for key in self._bucket.keys(self._folder) if not key.endswith("/"))

    def _remove(self, found: Entry) -> bool:
        return self._bucket.remove(found.place.removeprefix(f"s3://{self._bucket.name}/"), found.tag)

    def _seen(self, exc: UnavailableError | RefusedError, what: str) -> UnavailableError | DeadLetterError:
        if not self._is_for_good(exc):
            return _waited_for(exc)
        return DeadLetterError(
            f"The {self._words.what} in {self.place} can't be {what} ({exc}). None of them is lost. {self._remedy()}."
        )

    def _is_for_good(self, exc: UnavailableError | RefusedError) -> bool:
        return isinstance(exc, RefusedError) or exc.code in NO_BUCKET | FORBIDDEN | UNSUPPORTED

    def _has_lasted(self) -> bool:
        with self._lock:
            now = self._clock()
            if now - self._refused_last > LETTERS.denied_seconds:
                self._refused_since = now
            self._refused_last = now
            return now - self._refused_since >= LETTERS.denied_seconds

    def _remedy(self) -> str:
        owner = self._bucket.owner
        setting = self._words.setting
        owned = f"; it must belong to account {owner}, or to the one that {setting} names with ?owner=" if owner else ""
        others = _OF_REDRIVE if self._words is DEAD_LETTERS else ""
        return _REMEDY.format(setting=setting, objects=f"{self.place}*", others=others, owned=owned)


def _waited_for(exc: UnavailableError | RefusedError) -> UnavailableError:
    """Make S3's refusal an error that may pass: it is about a letter, not the change or the credentials."""
    kind = ThrottledError if isinstance(exc, ThrottledError) else UnavailableError
    return kind(str(exc), code=exc.code)
