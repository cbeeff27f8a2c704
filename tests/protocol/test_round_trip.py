"""What arrives is what left, to the last byte."""

from __future__ import annotations

import pytest

from tests.conftest import Tables
from tests.fakes.streams.stream_record import Item, insert, remove
from tests.protocol.conftest import MODES, Start

HARD: dict[str, Item] = {
    "numbers": {
        "digits": {"N": "12345678901234567890123456789012345678"},
        "negative digits": {"N": "-0.12345678901234567890123456789012345678"},
        "smallest": {"N": "1E-130"},
        "largest": {"N": "9.9999999999999999999999999999999999999E+125"},
        "zero": {"N": "0"},
        "set": {"NS": ["1", "-1", "0.1", "1E-130", "12345678901234567890123456789012345678"]},
    },
    "empty": {
        "string": {"S": ""},
        "binary": {"B": ""},
        "map": {"M": {}},
        "list": {"L": []},
        "null": {"NULL": True},
        "false": {"BOOL": False},
    },
    "binary": {
        "all bytes": {"B": "AAECAwQFBgcICQoLDA0ODxD//v38+/r5+Pf29fTz8vHw"},
        "set": {"BS": ["AA==", "/w==", "AAA=", "SGVsbG8="]},
        "nested": {"M": {"a": {"L": [{"B": "AP8="}, {"M": {"b": {"B": "/wA="}, "c": {"BS": ["AQ==", "Ag=="]}}}]}}},
    },
    "nested": {
        "map": {"M": {"a": {"M": {"b": {"L": [{"L": [{"N": "1E-130"}, {"S": ""}, {"NULL": True}]}, {"BOOL": True}]}}}}},
        "list": {"L": [{"S": "1"}, {"N": "1"}, {"SS": ["a", "b", "\u00e9"]}, {"M": {"#": {"S": "\u00e9"}}}]},
    },
    "strings": {
        "unusual": {
            "S": "\x00\x01\x1f\x7f\u0085\u2028\u2029\ufeff \\ \" ' / </script> \u00e9 e\u0301 \U0001f600 \ufffd"
        },
        "lines": {"S": "one\ntwo\r\nthree\ttab"},
        "json": {"S": '{"N": "1", "id": {"S": "other"}}'},
    },
    "large": {"payload": {"S": "\u00e9" * 195 * 1024}, "number": {"N": "1"}},
    "names": {
        name: {"S": name}
        for name in (
            "a.b",
            "#x",
            ":v",
            '"',
            "'",
            "\U0001f600",
            "a b",
            "\\",
            "a[0]",
            "NewImage",
            "N",
            "S",
            "\u00e9" * 99,
        )
    },
}
STRING_KEY = ("id:S",)
BINARY_AND_NUMBER_KEY = ("bin.id:B", "#no:N")


def _items(key: tuple[str, ...]) -> list[tuple[Item, Item]]:
    if key == STRING_KEY:
        return [({"id": {"S": f'{name} \U0001f511 "\\.#'}}, hard) for name, hard in HARD.items()]
    numbers = ("1E-130", "9.9E+125", "-12345678901234567890123456789012345678", "0", "-1", "0.5", "100")
    binaries = ("AA==", "/w==", "AP8=", "+/+/", "AAECAwQFBgcICQoLDA0ODw==", "AAA=", "/+8=")
    return [
        ({"bin.id": {"B": binary}, "#no": {"N": number}}, hard)
        for binary, number, hard in zip(binaries, numbers, HARD.values(), strict=True)
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("key", [STRING_KEY, BINARY_AND_NUMBER_KEY], ids=["string-key", "binary-and-number-key"])
def test_hard_items(key: tuple[str, ...], mode: str, start: Start, tables: Tables) -> None:
    """Whatever a table can hold arrives unchanged; and its key finds it again, to delete it."""
    source, destination = tables.create(*key), tables.create(*key)
    keys_and_items = _items(key)
    for keys, hard in keys_and_items:
        tables.put(source, {**keys, **hard})
    expected = tables.items(source)  # in the notation that DynamoDB gives, as its stream does
    assert len(HARD) == len(expected)
    daemon = start(destination, writeMode=mode)
    names = [part.rsplit(":", 1)[0] for part in key]
    daemon.apply(*(insert(number, each, key_names=names) for number, each in enumerate(expected)))
    assert expected == tables.items(destination)
    daemon.apply(*(remove(100 + number, keys) for number, (keys, _) in enumerate(keys_and_items)))
    assert not tables.items(destination)
