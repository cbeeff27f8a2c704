"""A checkpoint table as daemons would leave it, and renewals as they would make them, without daemons."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import boto3

from processor.settings.settings import Settings
from processor.state import leases, task_row
from processor.state.task_row import Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from typing_extensions import Self

# BatchWriteItem's limit.
_BATCH = 25


class LeaseTable:
    """One task's; in its context, the leases of the owners in ``renewing`` are renewed every ``renewal_seconds``.

    :param settings: whose checkpoint table is made
    :param owners: of the shards' leases, by shard; None for a lease that nobody has
    :param checkpoints: by shard; TRIM_HORIZON where there is none
    """

    def __init__(
        self,
        settings: Settings,
        owners: Mapping[str, str | None],
        *,
        checkpoints: Mapping[str, str] | None = None,
        parents: Mapping[str, str] | None = None,
        renewing: Iterable[str] = (),
        renewal_seconds: float = 0.2,
    ) -> None:
        self.client: DynamoDBClient = boto3.client(
            "dynamodb", region_name=settings.kcl_region, endpoint_url=settings.kcl_endpoint
        )
        self.name = settings.checkpoint_table
        self._settings = settings
        self._renewing = set(renewing)
        self._renewal_seconds = renewal_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="renewals")
        self._rows: dict[str, dict[str, Any]] = {
            shard: {
                "leaseKey": {"S": shard},
                "leaseCounter": {"N": "1"},
                "checkpoint": {"S": (checkpoints or {}).get(shard, "TRIM_HORIZON")},
                "checkpointSubSequenceNumber": {"N": "0"},
                "ownerSwitchesSinceCheckpoint": {"N": "0"},
                **({"leaseOwner": {"S": owner}} if owner else {}),
                **({"parentShardId": {"SS": [parents[shard]]}} if parents and shard in parents else {}),
            }
            for shard, owner in owners.items()
        }
        self.client.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self._write(list(self._rows.values()))

    def record(self, stream_arn: str, **changed: str) -> Task:
        """Write the task's row, as a start does."""
        row = task_row.of(self._settings, stream_arn)
        row = Task(**{name: getattr(row, name) for name in row.__struct_fields__} | changed)
        task_row.write(self.client, self._settings.task_table, row, before=None)
        return row

    def rows(self) -> list[dict[str, Any]]:
        """Every row, whole, by shard."""
        found: list[dict[str, Any]] = self.client.scan(TableName=self.name, ConsistentRead=True)["Items"]
        return sorted(found, key=lambda row: row["leaseKey"]["S"])

    def take(self, shard: str, owner: str | None) -> None:
        """Give a lease another owner, or none."""
        row = self._rows[shard]
        row["leaseCounter"] = {"N": str(int(row["leaseCounter"]["N"]) + 1)}
        row.pop("leaseOwner", None)
        if owner:
            row["leaseOwner"] = {"S": owner}
        self._write([row])

    def finish(self, shard: str) -> None:
        """Checkpoint the end of a shard."""
        self._rows[shard]["checkpoint"] = {"S": leases.SHARD_END}
        self._write([self._rows[shard]])

    def set_filtered(self, shard: str, number: str) -> None:
        """Say how many of a shard's records the settings have left out, as a daemon does with a checkpoint."""
        self._rows[shard]["recordsFiltered"] = {"N": number}
        self._write([self._rows[shard]])

    def apply(self, shard: str, records: int, *, checkpoint: str) -> None:
        """Say that so many more records of a shard are applied, up to a checkpoint, as a daemon does."""
        row = self._rows[shard]
        row["recordsApplied"] = {"N": str(int(row.get("recordsApplied", {"N": "0"})["N"]) + records)}
        row["checkpoint"] = {"S": checkpoint}
        self._write([row])

    @contextlib.contextmanager
    def renewed_by(self, owner: str) -> Iterator[None]:
        """From now on this one renews, too."""
        self._renewing.add(owner)
        yield
        self._renewing.discard(owner)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def renew(self, *owners: str) -> None:
        """Renew all their leases once, but those of finished shards, as our daemons do."""
        mine = [
            row
            for row in self._rows.values()
            if row.get("leaseOwner", {}).get("S") in owners and row["checkpoint"]["S"] != leases.SHARD_END
        ]
        for row in mine:
            row["leaseCounter"] = {"N": str(int(row["leaseCounter"]["N"]) + 1)}
        self._write(mine)

    def _renew(self) -> None:
        while not self._stop.wait(self._renewal_seconds):
            self.renew(*self._renewing)

    def _write(self, rows: list[dict[str, Any]]) -> None:
        for first in range(0, len(rows), _BATCH):
            requests: Any = [{"PutRequest": {"Item": row}} for row in rows[first : first + _BATCH]]
            self.client.batch_write_item(RequestItems={self.name: requests})
