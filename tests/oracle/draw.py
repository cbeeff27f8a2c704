"""Draws items and condition expressions: from small pools, so that they often meet, and often wrong."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from typing import Any, NamedTuple

from hypothesis import strategies as st

# Strings whose order is another one by UTF-16, and whose size is another one by characters; numbers at DynamoDB's
# bounds, and in several notations.
_STRINGS = [
    "",
    "a",
    "ab",
    "abc",
    "b",
    "ba",
    "N",
    "S",
    "L",
    "SS",
    "é",
    "\U0001d11e",
    "\ufffd",
    "a\u0301",
    "10",
    "Z" * 40,
]
_NUMBERS = ["0", "-0", "0.0", "1", "1.0", "01", "1e0", "2", "3", "10", "1E1", "-1", "-1.50", "-1.5", ".5", "5.", "+5"]
_NUMBERS += ["1" * 38, "1" * 37 + "2", "1" * 38 + "0", "-" + "9" * 38, "1E-130", "-1E-130", "9." + "9" * 37 + "E125"]
_BYTES = [b"", b"a", b"ab", b"b", b"\x00", b"\xff", b"\x7f\x80", b"abc"]
_BINARIES = [base64.b64encode(each).decode() for each in _BYTES]
_NAMES = ["a", "b", "c", "name", "a.b"]
# What DynamoDB refuses as a value.
_INVALID = [
    {"SS": []},
    {"SS": ["a", "a"]},
    {"NS": ["1", "1.0"]},
    {"NS": ["x"]},
    {"N": "1" * 39},
    {"N": "1E126"},
    {"N": "1E-131"},
    {"N": "x"},
    {"N": ""},
    {"N": "NaN"},
    {"NULL": False},
    {},
    {"M": {"": {"S": "x"}}},
    {"L": [{"BS": []}]},
]
_EXACT = Context(prec=38, Emin=-130, Emax=125)
_SPACES = ["", " ", "  ", "\t", "\n"]
_TOKEN = re.compile(r"[A-Za-z0-9_#:]+|<=|>=|<>|\S")


class Question(NamedTuple):
    """A condition expression, with the names and values that it mentions, where there are such."""

    text: str
    names: dict[str, str]
    values: dict[str, Any]


class _Drawer:
    """Items, or one expression.

    :param items: what the expression is asked of
    :param seen: values that stand in the items, which an expression's values are often to be equal to
    """

    def __init__(
        self, chance: random.Random, seen: Sequence[dict[str, Any]] = (), items: Sequence[dict[str, Any]] = ()
    ) -> None:
        self.chance = chance
        self.attributes = [attribute for item in items for attribute in item.items()]
        self.seen = seen
        self.values: dict[str, Any] = {}

    def item(self) -> dict[str, Any]:
        return {name: self.value(3) for name in _NAMES if self.chance.random() < 0.75}

    def value(self, depth: int) -> dict[str, Any]:
        kind = self.chance.choice(["S", "S", "N", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"])
        if kind in {"SS", "NS", "BS"}:
            return {kind: self.members(kind[0])}
        if kind == "L":
            return {"L": [self.value(depth - 1) for _ in range(self.chance.randint(0, 3) if depth else 0)]}
        if kind == "M":
            names = self.chance.sample(_NAMES, self.chance.randint(0, 3) if depth else 0)
            return {"M": {name: self.value(depth - 1) for name in names}}
        if kind in {"BOOL", "NULL"}:
            return {kind: kind == "NULL" or self.chance.random() < 0.5}
        return {kind: self.scalar(kind)}

    def scalar(self, kind: str) -> str:
        return self.chance.choice({"S": _STRINGS, "N": _NUMBERS, "B": _BINARIES}[kind])

    def members(self, kind: str) -> list[str]:
        """Different ones, also as DynamoDB sees them."""
        if kind == "N":
            return self.chance.sample(["0", "1.0", "2", "1E1", "-1.5", "1" * 38], self.chance.randint(1, 3))
        return self.chance.sample({"S": _STRINGS, "B": _BINARIES}[kind], self.chance.randint(1, 3))

    def question(self) -> Question:
        text = self.condition(self.chance.choice([0, 1, 1, 2, 3]))
        if self.chance.random() < 0.12:
            text = self.spoiled(text)
        mentioned = set(re.findall(r"[#:][A-Za-z0-9_]+", text))
        names = {"#a": "a", "#n": "name", "#d": "a.b"}
        return Question(
            text,
            {name: names[name] for name in sorted(mentioned & names.keys())},
            {name: self.values[name] for name in sorted(mentioned & self.values.keys())},
        )

    def condition(self, depth: int) -> str:
        if not depth:
            return self.simple()
        one = self.condition(depth - 1)
        kind = self.chance.choice(["and", "or", "not", "parentheses", "same"])
        if kind in {"and", "or"}:
            other = self.condition(depth - 1)
            if self.chance.random() < 0.4:
                other = f"({other})"
            return f"{one} {self.case(kind)} {other}"
        if kind == "not":
            return f"{self.case('not')}{self.chance.choice([f' {one}', f'({one})'])}"
        return f"({one})" if kind == "parentheses" and (one[0] != "(" or self.chance.random() < 0.2) else one

    def pointed(self) -> str:
        """A condition that is just true of one of the items, or just false."""
        name, value = self.chance.choice(self.attributes)
        path = {"name": "#n", "a.b": "#d"}.get(name, name)
        ((kind, content),) = value.items()
        if kind in {"SS", "NS", "BS"}:
            if self.chance.random() < 0.5:
                return f"{path} = {self.given({kind: content[::-1]})}"
            return f"contains({path}, {self.given({self.chance.choice([kind[0], 'S']): self.chance.choice(content)})})"
        if kind == "L" and content:
            return f"contains({path}, {self.given(self.chance.choice(content))})"
        if kind == "S" and self.chance.random() < 0.5:
            sizes = [len(content), len(content.encode()), len(content.encode("utf-16-le")) // 2]
            return f"size({path}) = {self.given({'N': str(self.chance.choice(sizes))})}"
        sign = self.chance.choice(["=", "<>", "<", ">="] if kind in {"S", "N", "B"} else ["=", "<>"])
        other = {"N": str(Decimal(content).next_plus(_EXACT))} if kind == "N" and self.chance.random() < 0.5 else value
        return f"{path} {sign} {self.given(other)}"

    def simple(self) -> str:
        if self.attributes and self.chance.random() < 0.3:
            return self.pointed()
        tested = self.path() if self.chance.random() < 0.7 else self.operand("SNB")
        space = self.chance.choice(_SPACES)
        kind = self.chance.choice(["comparison", "comparison", "between", "in", "function", "function"])
        if kind == "comparison":
            sign = self.chance.choice(["=", "=", "<>", "<", "<=", ">", ">="])
            other = self.operand("" if sign in {"=", "<>"} else "SNB")
            return f"{tested}{space}{sign}{space}{other}"
        if kind == "between":
            words = self.case("between"), self.case("and")
            low, high = self.bounds()
            return f"{tested} {words[0]} {low} {words[1]} {high}"
        if kind == "in":
            choices = f"{space},".join(self.operand() for _ in range(self.chance.randint(1, 4)))
            return f"{tested} {self.case('in')}{space}({choices})"
        return self.function(tested, space)

    def bounds(self) -> tuple[str, str]:
        kind = self.chance.choice("SNB")
        if self.chance.random() < 0.3:
            return self.operand(kind), self.operand(kind)
        order = {"S": str, "N": Decimal, "B": base64.b64decode}[kind]
        low, high = sorted([self.scalar(kind), self.scalar(kind)], key=order)
        return self.given({kind: low}), self.given({kind: high})

    def function(self, tested: str, space: str) -> str:
        name = self.chance.choice(
            ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "contains"]
        )
        if name in {"attribute_exists", "attribute_not_exists"}:
            return f"{name}{space}({self.path() if self.chance.random() < 0.9 else tested})"
        if name == "attribute_type" and self.chance.random() < 0.9:
            return (
                f"{name}({tested}, {self.given({'S': self.chance.choice(['S', 'N', 'L', 'M', 'SS', 'NULL', 'BOOL'])})})"
            )
        return f"{name}({self.path()},{space}{self.operand('SB' if name == 'begins_with' else '')})"

    def operand(self, kinds: str = "") -> str:
        """:param kinds: the types that the operator takes, nearly always; any, if empty"""
        kind = self.chance.choice(["path"] * 5 + ["value"] * 7 + ["size"])
        if kind == "path":
            found = self.path()
        elif kind == "value":
            found = self.given(self.some(kinds if self.chance.random() < 0.95 else ""))
        else:
            found = f"size({self.path() if self.chance.random() < 0.8 else self.operand()})"
        return f"({found})" if self.chance.random() < 0.05 else found

    def path(self) -> str:
        found = self.chance.choice(["a", "b", "c", "#n", "#a", "#d", "id", "zz"])
        if found == "id":
            return found  # DynamoDB refuses a path below a key, and an expression alone doesn't know the keys
        while self.chance.random() < 0.25:
            found += self.chance.choice([".a", ".b", ".#n", "[0]", "[1]", "[ 2 ]", " . c"])
        return found

    def some(self, kinds: str) -> dict[str, Any]:
        """A value for an expression."""
        if self.chance.random() < 0.01:
            return self.chance.choice(_INVALID)
        seen = [each for each in self.seen if not kinds or next(iter(each)) in kinds]
        if seen and self.chance.random() < 0.6:
            return self.chance.choice(seen)
        kind = self.chance.choice(kinds) if kinds else ""
        return {kind: self.scalar(kind)} if kind else self.value(2)

    def given(self, value: dict[str, Any]) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name

    def case(self, word: str) -> str:
        return self.chance.choice([word, word.upper(), word.capitalize()])

    def spoiled(self, text: str) -> str:
        """The expression with a token too many, too few, or of another kind."""
        found = _TOKEN.findall(text)
        at = self.chance.randrange(len(found))
        other = self.chance.choice(
            ["(", ")", "NOT", "AND", "=", ",", "a", "[", "0", ".", "size", "IN", "#zz", ":zz", "é"]
        )
        kind = self.chance.choice(["without", "twice", "other", "swapped"])
        if kind == "without":
            del found[at]
        elif kind == "swapped":
            found[at], found[-1] = found[-1], found[at]
        else:
            found.insert(at, found[at] if kind == "twice" else other)
        return " ".join(found) or "a"


@st.composite
def situations(draw: st.DrawFn, *, items: int, questions: int) -> tuple[list[dict[str, Any]], list[Question]]:
    """So many items without their key, and so many expressions to ask of all of them."""
    # Hypothesis' own choices for each of them would cost more time than everything else.
    chance = random.Random(draw(st.integers(0, 2**64 - 1)))
    found = [_Drawer(chance).item() for _ in range(items)]
    seen = [value for item in found for each in item.values() for value in _within(each)]
    return found, [_Drawer(chance, seen, found).question() for _ in range(questions)]


def _within(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The value, what stands in it, and values that are equal to its sets and numbers in another notation."""
    yield value
    ((kind, content),) = value.items()
    if kind in {"SS", "NS", "BS"}:
        yield {kind: content[::-1]}
        yield {kind[0]: content[0]}
    elif kind == "N" and Decimal(content).is_zero():
        yield {"N": "0E0"}
    elif kind == "M":
        yield {"M": dict(reversed(content.items()))}
    for each in content.values() if kind == "M" else content if kind == "L" else ():
        yield from _within(each)
