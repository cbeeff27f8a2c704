"""Whether a table holds items, also where pages before the first one are empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from processor.dynamodb import occupancy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = {"id": {"S": "a"}}
EMPTY_PAGE = {"Items": [], "LastEvaluatedKey": KEY}


class Scans:
    """A client whose pages are given; notes where each began."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = iter(pages)
        self.starts: list[Any] = []

    def scan(self, *, ExclusiveStartKey: Any = None, **_: Any) -> dict[str, Any]:  # noqa: N803  # as AWS names it
        """The next page."""
        self.starts.append(ExclusiveStartKey)
        return next(self._pages)


@pytest.mark.parametrize(
    ("pages", "holds"),
    [
        ([{"Items": [KEY]}], True),
        ([{"Items": []}], False),
        ([EMPTY_PAGE, {"Items": [KEY]}], True),
        ([EMPTY_PAGE, {"Items": []}], False),
        ([EMPTY_PAGE] * occupancy.MOST_PAGES, False),
    ],
)
def test_pages_are_read_until_an_item_is_found(pages: list[dict[str, Any]], *, holds: bool) -> None:
    """Each begins where the last one ended."""
    scans = Scans(*pages)
    assert occupancy.has_items(cast("DynamoDBClient", scans), "orders") is holds
    assert scans.starts == [None] + [KEY] * (len(pages) - 1)
