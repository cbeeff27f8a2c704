"""An export or an import that AWS doesn't know any more."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from processor.commands.copy.s3 import table_export, table_import
from processor.errors import TransferError
from processor.flow.waiter import Waiter
from processor.settings.s3_location import S3Location


class Forgetful:
    """A client whose every description finds nothing."""

    def describe_export(self, **_: Any) -> Any:
        """Refuses."""
        raise ClientError(
            {"Error": {"Code": "ExportNotFoundException", "Message": "Export not found"}}, "DescribeExport"
        )

    def describe_import(self, **_: Any) -> Any:
        """Refuses."""
        raise ClientError(
            {"Error": {"Code": "ImportNotFoundException", "Message": "Import not found"}}, "DescribeImport"
        )


def test_a_copy_is_told_how_to_go_on_without_waiting() -> None:
    """The message says what happened, and what to do."""
    client: Any = Forgetful()
    given: dict[str, Any] = {"waiter": Waiter(print), "say": print, "in_time": lambda: None}
    with pytest.raises(TransferError, match=r"Export not found.*Run copy again; it begins another export\.$"):
        table_export.finished(client, "arn", S3Location(bucket="bucket"), **given)
    with pytest.raises(TransferError, match=r"Import not found.*then run copy again\.$"):
        table_import.finished(client, "arn", expected_items=1, **given)
