"""What holds the demo's tables, where DynamoDB Local can be had and where it can't."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from processor.commands.demo import servers
from processor.commands.demo.dynamodb_local import DynamoDBLocal, free_port
from processor.commands.demo.moto_server import MotoServer
from processor.errors import SetupError
from processor.flow.chance import CHANCE
from processor.startup import java
from tests.fakes.task.tasks import task


@pytest.mark.parametrize(
    ("wanted", "missing", "made", "tried"),
    [
        ("dynamodb-local", set(), DynamoDBLocal, ["dynamodb-local"]),
        ("moto", set(), MotoServer, ["moto"]),
        ("dynamodb-local", {"dynamodb-local"}, MotoServer, ["dynamodb-local", "moto"]),
    ],
)
def test_moto_takes_the_place_of_what_can_not_be_had(
    wanted: str, missing: set[str], made: type, tried: list[str], *, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is wanted is set up; where another takes its place, that is said."""
    asked: list[str] = []
    monkeypatch.setattr(servers, "_set_up", lambda part: asked.append(part) or part not in missing)
    said: list[str] = []
    monkeypatch.setattr(servers.output, "say", said.append)
    _, both = servers.made(task(demoServer=wanted), tmp_path)
    assert [type(each) for each in both] == [made, made]
    assert asked == tried
    assert len(said) == len(missing)


def test_a_port_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also to two processes of which neither listens yet."""
    ask = "from processor.commands.demo.dynamodb_local import free_port; print(free_port(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", ask], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=java.ROOT
    ) as other:
        assert other.stdout is not None
        given = int(other.stdout.readline())
        chosen, choose = iter([given]), CHANCE.choice
        monkeypatch.setattr(CHANCE, "choice", lambda ports: next(chosen, None) or choose(ports))
        assert free_port() != given
        assert next(chosen, None) is None, "the given one was tried"
        other.communicate("\n")


@pytest.mark.parametrize("wanted", ["dynamodb-local", "moto"])
def test_without_any_server_there_is_no_demo(wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what is missing."""
    monkeypatch.setattr(servers, "_set_up", lambda _: False)
    with pytest.raises(SetupError, match=r"moto.*could not be set up"):
        servers.made(task(demoServer=wanted), tmp_path)


def test_a_wheel_without_moto_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the names that the extra of pyproject.toml has."""
    monkeypatch.setattr(servers.program, "INSTALLED", True)
    monkeypatch.setattr(servers.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SetupError, match=r"pipx inject .* 'moto\[dynamodb\]' flask flask-cors, or pip install"):
        servers.made(task(demoServer="moto"), tmp_path)
    extra = next(line for line in (java.ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("demo = "))
    assert re.findall(r'"([\w-]+(?:\[\w+\])?)', extra) == ["moto[dynamodb]", "flask", "flask-cors"]
