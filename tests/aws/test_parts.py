"""What a proof decides without AWS: what is its own, what it costs, and what its report may show."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws import leftovers, names, plan
from tests.aws.leftovers import Leftover
from tests.aws.mask import masked
from tests.aws.servers import Place, Side

RUN = "0123abcd"
OWN = names.named(RUN, "on-demand")


@pytest.mark.parametrize(
    ("name", "run"),
    [
        (f"{OWN}-source", RUN),
        (f"DynamoDBCrossRegionReplication{OWN}-CoordinatorState", RUN),
        ("orders", None),
        ("replicator-proof-orders", None),  # somebody's own, which only begins so
        (f"my-{OWN}-source", None),
        ("DynamoDBCrossRegionReplicationorders", None),
    ],
)
def test_a_name_says_whose_it_is(name: str, run: str | None) -> None:
    """Only a whole name of a run's form is one."""
    assert names.run_of(name) == run


class FakeAws(Side):
    """A region whose answers are these."""

    def __init__(
        self, tables: dict[str, dict[str, str]], *, endpoint: str | None = None, tagless: bool = False
    ) -> None:
        super().__init__("eu-west-1", endpoint)
        object.__setattr__(self, "tables", tables)
        object.__setattr__(self, "tagless", tagless)

    def client(self, service: str = "dynamodb") -> Any:
        """Itself."""
        assert service == "dynamodb"
        return self

    def get_paginator(self, _: str) -> Any:
        """Itself."""
        return self

    def paginate(self) -> list[dict[str, Any]]:
        """One page."""
        return [{"TableNames": list(self.tables)}]  # type: ignore[attr-defined]

    def describe_table(self, *, TableName: str) -> Any:  # noqa: N803  # boto3's
        """Only what is asked for."""
        return {"Table": {"TableArn": TableName, "TableStatus": "ACTIVE"}}

    def list_tags_of_resource(self, *, ResourceArn: str) -> Any:  # noqa: N803  # boto3's
        """The table's."""
        if self.tagless:  # type: ignore[attr-defined]
            raise ClientError({"Error": {"Code": "UnknownOperationException", "Message": ""}}, "ListTagsOfResource")
        tags = self.tables[ResourceArn]  # type: ignore[attr-defined]
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _found(side: Side, monkeypatch: pytest.MonkeyPatch, run: str | None = None) -> dict[str, bool]:
    monkeypatch.setattr(Place, "has_identities", False)
    return {each.name: each.tagged for each in leftovers.find(Place("here", side, side), run=run)}


def test_name_and_tag_must_both_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without the run's tag is shown and not touched; a tag without the name isn't even that."""
    other = names.named("ffffffff", "on-demand")
    tables = {
        f"{OWN}-source": {names.TAG: RUN},
        f"{OWN}-copy": {},
        f"{OWN}-other": {names.TAG: "ffffffff"},
        "orders": {names.TAG: RUN},
        f"{other}-source": {names.TAG: "ffffffff"},
    }
    wanted = {f"{OWN}-source": True, f"{OWN}-copy": False, f"{OWN}-other": False}
    assert _found(FakeAws(tables), monkeypatch) == wanted | {f"{other}-source": True}
    assert _found(FakeAws(tables), monkeypatch, RUN) == wanted


def test_only_a_given_server_may_have_no_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the name alone counts; AWS that says so is not believed."""
    tables: dict[str, dict[str, str]] = {f"{OWN}-source": {}}
    local = FakeAws(tables, endpoint="http://127.0.0.1:1", tagless=True)
    assert _found(local, monkeypatch) == {f"{OWN}-source": True}
    with pytest.raises(ClientError, match="UnknownOperation"):
        _found(FakeAws(tables, tagless=True), monkeypatch)


def test_what_can_t_be_removed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are removed nevertheless."""
    begun = []

    def refuse(each: Leftover, _: float) -> None:
        begun.append(each.name)
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DeleteTable")

    monkeypatch.setattr(leftovers, "_delete_table", refuse)
    found = [Leftover("table", name, RUN, True, Side("eu-west-1", None)) for name in ("one", "two")]  # noqa: FBT003  # tagged
    left = leftovers.remove(found, seconds=0)
    assert begun == ["one", "two"]
    assert [text.partition(":")[0] for text in left] == ["table one in eu-west-1", "table two in eu-west-1"]


def test_it_costs_below_a_dollar() -> None:
    """By the plan's own amounts, in the dearest region."""
    assert 0.05 < plan.dollars() < 1
    assert sum(line.dollars for line in plan.costs()) == pytest.approx(plan.dollars())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("arn:aws:iam::123456789012:role/admin/me may not", "arn:aws:iam::************:role/… may not"),
        ("arn:aws:sts::123456789012:assumed-role/admin/jane", "arn:aws:sts::************:assumed-role/…"),
        ("User: arn:aws:iam::123456789012:user/jane is", "User: arn:aws:iam::************:user/… is"),
        (f"arn:aws:iam::123456789012:role/{OWN}", f"arn:aws:iam::************:role/{OWN}"),
        ('"not arn:aws:iam::123456789012:user/jane\\" said"', '"not arn:aws:iam::************:user/…\\" said"'),
        ("key AKIAIOSFODNN7EXAMPLE, 51 changes", "key (access key), 51 changes"),
    ],
)
def test_a_report_names_nobody(text: str, shown: str) -> None:
    """Neither accounts nor people nor keys."""
    assert masked(text) == shown
