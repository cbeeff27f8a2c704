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
    ("pages", "starts"),
    [
        ([{"Items": [KEY]}], [None]),
        ([EMPTY_PAGE, {"Items": [KEY]}], [None, KEY]),
        ([{"Items": []}, {"Items": [KEY]}], [None, None]),
        ([EMPTY_PAGE, {"Items": []}, EMPTY_PAGE, {"Items": [KEY]}], [None, KEY, None, KEY]),
    ],
)
def test_pages_are_read_until_an_item_is_found(pages: list[dict[str, Any]], starts: list[Any]) -> None:
    """Each begins where the last one ended; a table without items is believed to be that at the second look only."""
    scans = Scans(*pages)
    assert occupancy.has_items(cast("DynamoDBClient", scans), "orders")
    assert scans.starts == starts


@pytest.mark.parametrize("pages", [[{"Items": []}], [EMPTY_PAGE, {"Items": []}], [EMPTY_PAGE] * occupancy.MOST_PAGES])
def test_a_table_without_items(pages: list[dict[str, Any]]) -> None:
    """Or with too many empty pages before the first."""
    assert not occupancy.has_items(cast("DynamoDBClient", Scans(*pages, *pages)), "orders")
