"""What runs of this proof have made and not removed yet: found by name and tag, and removed.

The rule: a table or role is touched only if its name is one that a run gives, and its tag names the same run. Of a
server that has no tags at all, such as DynamoDB Local, the name alone counts; AWS has tags, so this never happens
there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.aws import names
from tests.aws.servers import Place, Side
from tests.fakes.patience import until


@dataclass(frozen=True, slots=True)
class Leftover:
    """A table or a role of a run.

    :param tagged: whether its tag fits its name; otherwise it is shown and not touched
    """

    kind: str
    name: str
    run: str
    tagged: bool
    side: Side

    @property
    def shown(self) -> str:
        """For people."""
        where = f" in {self.side.region}" if self.kind == "table" else ""
        return f"{self.kind} {self.name}{where}"


def find(place: Place, *, run: str | None = None) -> Iterator[Leftover]:
    """Everything that fits, of one run or of all."""
    sides = [place.source] if place.source == place.destination else [place.source, place.destination]
    for side in sides:
        yield from _tables(side, run)
    if place.has_identities:
        yield from _roles(place.source, run)


def remove(found: Sequence[Leftover], *, seconds: float) -> list[str]:
    """Remove them, side by side as AWS does it, and wait until they are gone.

    :returns: what is left, each with the reason
    """
    left = []
    for each in found:
        begin = _delete_table if each.kind == "table" else _delete_role
        try:
            begin(each, seconds)
        except (AssertionError, ClientError, BotoCoreError) as exc:
            left.append(f"{each.shown}: {exc}")
    for each in found:
        if each.kind != "table" or any(text.startswith(f"{each.shown}:") for text in left):
            continue
        try:
            until(lambda table=each: not _state(table), f"{each.name} is gone", seconds=seconds, pause_seconds=0.2)
        except (AssertionError, ClientError, BotoCoreError) as exc:
            left.append(f"{each.shown}: {exc}")
    return left


def tag(side: Side, name: str, run: str) -> bool:
    """Tag a table that a command of this run has made.

    :returns: whether nothing remains to be done: it is tagged, or the server has no tags
    """
    client = side.client()
    try:
        table = client.describe_table(TableName=name)["Table"]
        client.tag_resource(ResourceArn=table["TableArn"], Tags=names.tags(run))
    except ClientError as exc:
        return _code(exc) == "UnknownOperationException"
    return True


def _tables(side: Side, run: str | None) -> Iterator[Leftover]:
    client = side.client()
    for page in client.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            found = names.run_of(name)
            if found is None or run not in {None, found}:
                continue
            tags = _gone_is_none(lambda table=name: _table_tags(client, side, table))
            if tags is not None:
                yield Leftover("table", name, found, tags.get(names.TAG) == found, side)


def _table_tags(client: Any, side: Side, name: str) -> dict[str, str]:
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    try:
        return _by_key(client.list_tags_of_resource(ResourceArn=arn)["Tags"])
    except ClientError as exc:
        if side.endpoint is None or _code(exc) != "UnknownOperationException":
            raise
        return {names.TAG: names.run_of(name) or ""}


def _roles(side: Side, run: str | None) -> Iterator[Leftover]:
    client = side.client("iam")
    try:
        listed = [role["RoleName"] for page in client.get_paginator("list_roles").paginate() for role in page["Roles"]]
    except ClientError as exc:
        if _code(exc) not in {"AccessDenied", "AccessDeniedException"}:
            raise
        print("NOTE: these credentials may not list roles. A run that they made has none, for it lists them first.")
        return
    for name in listed:
        found = names.run_of(name)
        if found is None or run not in {None, found}:
            continue
        tags = _gone_is_none(lambda role=name: _by_key(client.list_role_tags(RoleName=role)["Tags"]))
        if tags is not None:
            yield Leftover("role", name, found, tags.get(names.TAG) == found, side)


def _by_key(tags: Sequence[dict[str, str]]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in tags}


def _gone_is_none(look: Callable[[], dict[str, str]]) -> dict[str, str] | None:
    try:
        return look()
    except ClientError as exc:
        if _code(exc) in {"ResourceNotFoundException", "NoSuchEntity"}:
            return None  # removed between the list and this look
        raise


def _delete_table(each: Leftover, seconds: float) -> None:
    """A table that is being made or changed can't be deleted yet."""
    client = each.side.client()
    deadline = time.monotonic() + seconds
    while True:
        try:
            client.delete_table(TableName=each.name)
        except ClientError as exc:
            if _code(exc) == "ResourceNotFoundException" or _state(each) in {"", "DELETING"}:
                return
            if _code(exc) not in {"ResourceInUseException", "LimitExceededException"} or time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


def _state(each: Leftover) -> str:
    """The table's status; empty if it is gone."""
    try:
        return str(each.side.client().describe_table(TableName=each.name)["Table"]["TableStatus"])
    except ClientError as exc:
        if _code(exc) == "ResourceNotFoundException":
            return ""
        raise


def _delete_role(each: Leftover, _: float) -> None:
    client = each.side.client("iam")
    try:
        for policy in client.list_role_policies(RoleName=each.name)["PolicyNames"]:
            client.delete_role_policy(RoleName=each.name, PolicyName=policy)
        client.delete_role(RoleName=each.name)
    except ClientError as exc:
        if _code(exc) != "NoSuchEntity":
            raise


def _code(exc: ClientError) -> str:
    return str(exc.response["Error"]["Code"])
