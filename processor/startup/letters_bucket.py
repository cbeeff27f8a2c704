"""Whether the bucket of dead letters, or of a two-way task's conflicts, is there before the first one has to be."""

from __future__ import annotations

from typing import NamedTuple

from processor.aws.clients import Clients
from processor.aws.s3 import FORBIDDEN, NO_BUCKET
from processor.errors import RefusedError, RoleError, UnavailableError
from processor.replication.dead_letters import stores
from processor.replication.dead_letters.letter import CONFLICTS, DEAD_LETTERS, Words, folder_of
from processor.reporting.findings import Finding, error, warning
from processor.settings.letters_place import LettersPlace
from processor.settings.settings import Settings
from processor.startup.failed_call import cause_of

_LOST = {
    DEAD_LETTERS: "A refused change would have nowhere to go",
    CONFLICTS: "What loses a conflict would have nowhere to go, and its shard would wait",
}


class Looked(NamedTuple):
    """The account that the bucket must belong to, None if nothing was found there; and what is wrong."""

    owner: str | None
    findings: list[Finding]


def look(settings: Settings, clients: Clients) -> Looked:
    """Look at the one bucket that a replication with these settings writes to: an uplink that of its conflicts."""
    if settings.direction == "uplink":
        return _look(settings.conflicts_place, CONFLICTS, settings, clients)
    place = settings.dead_letters_place if settings.on_error == "deadLetter" else None
    return _look(place, DEAD_LETTERS, settings, clients)


def _look(place: LettersPlace | None, words: Words, settings: Settings, clients: Clients) -> Looked:
    if place is None or place.bucket is None:
        return Looked(None, [])
    what, lost = f"{words.what}' bucket {place.bucket}", _LOST[words]
    bucket = stores.bucket_of(place, clients)
    try:
        bucket.look(folder_of(place.prefix, settings.task_name))
    except (UnavailableError, RefusedError) as exc:
        # Looking needs s3:ListBucket, which writing does not.
        if exc.code in FORBIDDEN and not isinstance(exc, RoleError):
            unknown, remedy = bucket.doubt(words.setting)
            unknown = f"Whether {words.what} can be put there will be known with the first one{unknown}"
            remedy = f"Allow s3:ListBucket on it, and see that s3:PutObject on its objects is allowed{remedy}"
            found = warning("letters-bucket-unknown", what, f"can't be looked at ({exc})", unknown, remedy)
        elif exc.code in NO_BUCKET:
            remedy = f"Check {words.setting}, or create it"
            found = error("letters-bucket-missing", what, "does not exist", lost, remedy)
        else:
            found = error(
                "letters-bucket-unreachable",
                what,
                f"can't be reached ({exc})",
                lost,
                "Check the credentials, the network from this machine, and AWS_ENDPOINT_URL_S3 where that is set",
                cause=cause_of(exc, settings.task_identity),
            )
        return Looked(None, [found])
    return Looked(bucket.owner, [])
