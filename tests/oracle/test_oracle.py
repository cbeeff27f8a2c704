"""Condition expressions, answered by DynamoDB Local and by ours; ``./test.sh oracle`` asks more of them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from processor.view.condition.reserved_words import RESERVED_WORDS
from tests.oracle.answers import Oracle, compare
from tests.oracle.draw import Question, situations
from tests.oracle.expressions import ACCEPTED, NAMES, REFUSED, VALUES

# Words that the Developer Guide reserves, and DynamoDB Local takes as names.
_NOT_RESERVED_LOCALLY = {"CONVERT", "SIZE"}


@pytest.fixture(scope="module")
def oracle(dynamodb: DynamoDBLocal) -> Iterator[Oracle]:
    """A table to ask."""
    with contextlib.closing(Oracle(dynamodb.port)) as made:
        yield made


def _question(text: str) -> Question:
    mentioned = set(re.findall(r"[#:][A-Za-z0-9_]+", text))
    return Question(
        text,
        {name: NAMES[name] for name in mentioned & NAMES.keys()},
        {name: VALUES[name] for name in mentioned & VALUES.keys()},
    )


@settings(max_examples=40, derandomize=True)
@given(situation=situations(items=6, questions=20))
def test_drawn_expressions(oracle: Oracle, situation: tuple[list[dict[str, Any]], list[Question]]) -> None:
    """Both refuse the same, and find the same items."""
    assert len(list(compare(oracle, *situation))) == 20


def test_the_edges_of_the_grammar(oracle: Oracle) -> None:
    """DynamoDB Local takes and refuses what the table says."""
    for text in ACCEPTED:
        assert oracle.answer(_question(text))[0] is not None, text
    for text in REFUSED:
        assert oracle.answer(_question(text))[0] is None, text


def test_every_reserved_word(oracle: Oracle) -> None:
    """DynamoDB Local reserves what the Developer Guide does, but for a few."""
    taken = {word for word in RESERVED_WORDS if oracle.answer(Question(f"{word} = id", {}, {}))[0] is not None}
    assert taken == _NOT_RESERVED_LOCALLY
    assert len(RESERVED_WORDS) == 573
