"""Policies of several tasks in one: it allows what they do, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from processor.commands.policy import documents, merge, permissions
from processor.commands.policy.arns import ResourceArns
from processor.commands.policy.documents import Policy
from processor.commands.policy.principals import Principal
from tests.fakes.task import tasks

USER = "arn:aws:iam::333333333333:user/replicator"
READER = "arn:aws:iam::111111111111:role/reader"


def _policies(name: str, **changed: str) -> list[Policy]:
    """Of a task with tables of its own."""
    settings = tasks.task(**{"sourceTable": f"from-{name}", "destinationTable": f"to-{name}"} | changed)
    found = ResourceArns(
        source_table=f"arn:aws:dynamodb:eu-west-1:1:table/{settings.source_table}",
        destination_table=f"arn:aws:dynamodb:us-east-1:2:table/{settings.destination_table}",
        task_tables="arn:aws:dynamodb:eu-west-1:3:table/",
        heartbeat_key=f"heartbeat-{settings.heartbeat_seconds}",
    )
    rows = permissions.needed(settings, permissions.possible(settings))
    return documents.make(settings, rows, found, {Principal(): USER})


def _atoms(policies: list[Policy]) -> set[tuple[Any, ...]]:
    """Everything that is allowed, each by itself: who, action, resource, and each choice of a condition's values."""
    return {
        (policy.role_arn, policy.profile, action, resource, choice)
        for policy in policies
        for statement in policy.policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
        for choice in _choices(statement.get("Condition", {}))
    }


def _choices(condition: dict[str, dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    parts = [
        [(operator, key, value) for value in ([values] if isinstance(values, str) else values)]
        if operator in {"StringEquals", "StringLike"}
        else [(operator, key, tuple(values))]
        for operator, keys in condition.items()
        for key, values in keys.items()
    ]
    return itertools.product(*parts)


TASKS = {
    "alike": [{}, {}, {}],
    "letters in one bucket": [
        {"onError": "deadLetter", "deadLetterUri": "s3://letters/a?owner=111111111111"},
        {"onError": "deadLetter", "deadLetterUri": "s3://letters/b?owner=111111111111"},
        {"onError": "deadLetter", "deadLetterUri": "s3://letters/b?owner=222222222222"},
    ],
    "heartbeats": [{"heartbeatSeconds": "5"}, {"heartbeatSeconds": "5"}, {}],
    "two heartbeats of one source": [
        {"heartbeatSeconds": "5", "sourceTable": "orders"},
        {"heartbeatSeconds": "7", "sourceTable": "orders"},
    ],
    "modes": [{"writeMode": "fenced"}, {"writeMode": "item"}, {}],
    "roles": [
        {"sourceRoleArn": READER, "sourceRoleExternalId": "one"},
        {"sourceRoleArn": READER, "sourceRoleExternalId": "two"},
        {"kclRoleArn": READER},
    ],
}


@pytest.mark.parametrize("name", TASKS)
def test_it_allows_what_they_do(name: str) -> None:
    """No more and no less, by one policy for each principal, whose statements have different names."""
    each = [policy for number, changed in enumerate(TASKS[name]) for policy in _policies(str(number), **changed)]
    merged = merge.merged(each)
    assert _atoms(merged) == _atoms(each)
    who = [(policy.role_arn, policy.profile) for policy in merged]
    assert len(who) == len(set(who))
    for policy in merged:
        names = [statement["Sid"] for statement in policy.policy["Statement"]]
        assert len(names) == len(set(names))
        assert all(found.isalnum() for found in names)


def test_statements_of_like_tasks_become_one() -> None:
    """Else the policy would grow by all of them with each task."""
    one = merge.merged(_policies("1"))
    three = merge.merged([policy for number in range(3) for policy in _policies(str(number))])
    assert [len(policy.policy["Statement"]) for policy in three] == [len(policy.policy["Statement"]) for policy in one]


def test_who_may_assume_a_role() -> None:
    """Each of the external ids, once."""
    (role,) = [
        policy
        for policy in merge.merged(
            [
                policy
                for number, changed in enumerate([*TASKS["roles"], TASKS["roles"][0]])
                for policy in _policies(str(number), **changed)
            ]
        )
        if policy.role_arn == READER
    ]
    assert role.trust_policy is not None
    conditions = [statement.get("Condition") for statement in role.trust_policy["Statement"]]
    ids = [condition and condition["StringEquals"]["sts:ExternalId"] for condition in conditions]
    assert ids == ["one", "two", None]
    assert role.used_for == ["source", "task"]


@pytest.mark.parametrize(
    ("characters", "is_role", "words"),
    [
        (merge.MANAGED, True, None),
        (
            merge.MANAGED + 1,
            True,
            "6,145 characters without white space; a managed policy takes 6,144, and inline",
        ),
        (merge.INLINE_OF_ROLE + 1, True, "a managed policy takes 6,144. Print"),
        (merge.MANAGED + 1, False, "a managed policy takes 6,144. Print"),
    ],
)
def test_what_aws_does_not_take_is_said(characters: int, is_role: bool, words: str | None) -> None:  # noqa: FBT001  # a table's
    """By its size without white space."""
    document = {"Statement": "", "Version": " " * 100}
    document["Statement"] = "x" * (characters - merge.size(document))
    policy = Policy(role_arn=READER if is_role else None, profile=None, used_for=[], policy=document, trust_policy=None)
    said = list(merge.oversize(policy))
    assert [words in each for each in said if words] == ([True] if words else [])
    assert bool(said) == bool(words)


def test_a_trust_policy_has_a_size_of_its_own() -> None:
    """A smaller one."""
    policy = Policy(role_arn=READER, profile=None, used_for=[], policy={}, trust_policy={"x": "x" * 2100})
    (said,) = merge.oversize(policy)
    assert "a role takes 2,048" in said


def test_one_task_keeps_its_policies() -> None:
    """As they are."""
    made = _policies("1")
    assert msgspec.json.encode(merge.merged(made)) == msgspec.json.encode(made)
