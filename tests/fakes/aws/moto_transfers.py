"""Exports and imports as moto has them, with what AWS's have beyond and a copy stands on.

moto knows no ``ClientToken``, gives exports the ARN of an import and another folder's name, says nothing of their
moment, starts an import into a table that is there, and calls one with errors FAILED, where AWS calls it COMPLETED.
"""

from __future__ import annotations

import copy
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.dynamodb import models, responses
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, ResourceInUseException
from moto.dynamodb.models.table_export import TableExport
from moto.dynamodb.models.table_import import TableImport

if TYPE_CHECKING:
    import pytest

LOG_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws-dynamodb/imports:*"


# AWS's take minutes, so whoever asks at once is not told of an import's end.
SURELY_IN_PROGRESS = 3


class MotoTransfers:
    """What became of them, and what is to go wrong; ``install`` puts it in moto's place.

    ``moment`` is what exports say that they are as of, ``lost_items`` how many the next import leaves out, which it
    admits to or not.
    ``others_under_way`` are this account's other exports, and imports.
    ``mismatch`` is what AWS calls another request with the token of one before it.
    Exports and imports don't end while ``held``.
    """

    def __init__(self) -> None:
        self.exports: list[TableExport] = []
        self.imports: list[TableImport] = []
        self.moment: datetime | None = None
        self.lost_items = 0
        self.others_under_way = 0
        self.errors_are_counted = True
        self.mismatch = "ImportConflictException"
        self._free = threading.Event()
        self._free.set()
        self._by_token: dict[str, Any] = {}

    @property
    def held(self) -> bool:
        """Whether they go on for ever."""
        return not self._free.is_set()

    @held.setter
    def held(self, value: bool) -> None:
        if value:
            self._free.clear()
        else:
            self._free.set()

    def install(self, patch: pytest.MonkeyPatch) -> MotoTransfers:
        """For as long as ``patch`` lasts."""
        self._install_models(patch)
        begin_export = responses.DynamoHandler.export_table_to_point_in_time
        begin_import = responses.DynamoHandler.import_table

        def export(handler: Any) -> ActionResult:
            handler.body.setdefault("S3Prefix", "")
            return self._once(handler, "ExportDescription", begin_export, self.exports)

        def import_(handler: Any) -> ActionResult:
            name = handler.body["TableCreationParameters"]["TableName"]
            if handler.body["ClientToken"] not in self._by_token and name in handler.dynamodb_backend.tables:
                raise ResourceInUseException
            return self._once(handler, "ImportTableDescription", begin_import, self.imports)

        def list_exports(_: Any) -> ActionResult:
            return self._page([{"ExportArn": each.arn, "ExportStatus": each.status} for each in self.exports], "Export")

        def list_imports(_: Any) -> ActionResult:
            found = [{"ImportArn": each.arn, "ImportStatus": each.status} for each in self.imports]
            return self._page(found, "Import")

        patch.setattr(responses.DynamoHandler, "list_exports", list_exports)
        patch.setattr(responses.DynamoHandler, "list_imports", list_imports, raising=False)
        patch.setattr(responses.DynamoHandler, "export_table_to_point_in_time", export)
        patch.setattr(responses.DynamoHandler, "import_table", import_)
        return self

    def _page(self, found: list[dict[str, Any]], kind: str) -> ActionResult:
        others = [{f"{kind}Status": "IN_PROGRESS"}] * self.others_under_way
        name = {"Export": "ExportSummaries", "Import": "ImportSummaryList"}[kind]
        return ActionResult({name: [*found, *others]})

    def _once(self, handler: Any, name: str, begin: Any, made: list[Any]) -> ActionResult:
        token, asked = handler.body["ClientToken"], copy.deepcopy(handler.body)
        if token not in self._by_token:
            begin(handler)
            self._by_token[token] = asked, made[-1]
        before, found = self._by_token[token]
        if asked != before:
            raise JsonRESTError(f"{ERROR_TYPE_PREFIX}{self.mismatch}", "Another request had this ClientToken")
        return ActionResult({name: found.response()})

    def _install_models(self, patch: pytest.MonkeyPatch) -> None:
        transfers = self

        class Export(TableExport):
            def __init__(self, **given: Any) -> None:
                super().__init__(**given)
                self.id = f"{len(transfers.exports):014}-{uuid4().hex[:8]}"
                self.arn = f"{self.table.table_arn}/export/{self.id}"
                self.moment = transfers.moment or datetime.now(timezone.utc)
                transfers.exports.append(self)

            def run(self) -> None:
                transfers._free.wait()
                super().run()

            def _backup_to_s3_file(self, s3_backend: Any) -> None:
                folder = "/".join(part for part in (self.s3_prefix, "AWSDynamoDB", self.id) if part)

                class Folder:
                    """Another name for what is put there, and a manifest beside it."""

                    @staticmethod
                    def put_object(bucket_name: str, key_name: str, value: bytes) -> None:
                        s3_backend.put_object(bucket_name, f"{folder}/manifest-summary.json", b"{}")
                        s3_backend.put_object(bucket_name, f"{folder}/data/{key_name.rpartition('/')[2]}", value)

                super()._backup_to_s3_file(Folder())  # type: ignore[arg-type]

            def response(self) -> dict[str, Any]:
                return super().response() | {"ExportTime": self.moment}

        class Import(TableImport):
            def __init__(self, **given: Any) -> None:
                super().__init__(**given)
                self.answers = 0
                self.lost_items, transfers.lost_items = transfers.lost_items, 0
                transfers.imports.append(self)

            def run(self) -> None:
                transfers._free.wait()
                super().run()

            def response(self) -> dict[str, Any]:
                found = super().response()
                self.answers += 1
                if self.answers <= SURELY_IN_PROGRESS:
                    return found | {"ImportStatus": "IN_PROGRESS", "ErrorCount": 0, "ImportedItemCount": 0}
                found["ImportedItemCount"] = max(0, found["ImportedItemCount"] - self.lost_items)
                found["ErrorCount"] += self.lost_items * transfers.errors_are_counted
                return found | {"CloudWatchLogGroupArn": LOG_GROUP}

        patch.setattr(models, "TableExport", Export)
        patch.setattr(models, "TableImport", Import)
