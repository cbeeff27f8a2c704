"""The options of ``run.sh verify``."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.cli.registry import COMMANDS
from processor.commands.verify.options import VerifyOptions
from processor.errors import UsageError


def _wanted(*arguments: str) -> VerifyOptions:
    options, rest = COMMANDS["verify"].take(arguments)
    assert rest == []
    assert isinstance(options, VerifyOptions)
    return options


def test_none_is_needed() -> None:
    """The defaults of both lists are the same."""
    assert VerifyOptions() == _wanted()


def test_all_of_them() -> None:
    """Each arrives where it belongs."""
    found = _wanted(
        *("--sample", "2.5%", "--recheck", "0", "--show", "7", "--values", "--output", "f"),
        *("--ignore", "a.b,c[0]", "--ignore", "d", "--repair", "--deleteExtra", "--dryRun", "--expired", "--json"),
    )
    assert found == VerifyOptions(
        share=0.025,
        recheck=0,
        show=7,
        values=True,
        output=Path("f"),
        ignore=(("a", "b"), ("c", 0), ("d",)),
        repair=True,
        delete_extra=True,
        expired=True,
        dry_run=True,
        as_json=True,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sample", "0%"), "--sample: '0%' is no share. Give more than 0% and up to 100%. See --help."),
        (("--sample", "nan"), "'nan' is no share"),
        (("--sample", "101"), "'101' is no share"),
        (("--recheck", "-1"), "--recheck: "),
        (("--show", "all"), "'all' is not a whole number"),
        (("--ignore", "a..b"), "--ignore: 'a..b' is no attribute path"),
    ],
)
def test_values_that_make_no_sense(arguments: tuple[str, ...], message: str) -> None:
    """The message names the option and what it takes."""
    with pytest.raises(UsageError) as caught:
        _wanted(*arguments)
    assert message in str(caught.value)
