"""What a shell completes, by the shells themselves."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from processor.cli import completion
from processor.cli.main import main
from processor.cli.registry import COMMANDS
from processor.settings.definitions import BY_NAME, DEFINITIONS
from tests.fakes.patience import PATIENCE_SECONDS

SETTINGS = {f"--{definition.name}" for definition in DEFINITIONS}


def _script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With two tasks, one of them in a folder with a space, and a file that is no task."""
    (tmp_path / "orders.properties").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "more tasks").mkdir()
    (tmp_path / "more tasks" / "customers.properties").touch()
    return tmp_path


def _bash(script: str, folder: Path, *words: str) -> set[str]:
    """What bash's own completion function offers for the last of these words."""
    asked = (
        'source /dev/stdin; COMP_WORDS=(./run.sh "$@"); COMP_CWORD=$#; _run_sh; '
        '((${#COMPREPLY[@]} == 0)) || printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-uc", asked, "bash", *words]
    done = subprocess.run(command, cwd=folder, input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.splitlines())


def test_bash_completes_every_command_option_and_setting(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the command that is typed, and none of another's."""
    script = _script("bash", capsys)
    first = _bash(script, folder, "")
    assert first == {*COMMANDS, "help", "completion", "orders.properties", "more tasks"}
    for name, command in COMMANDS.items():
        own = {f"--{option.name}" for option in command.options}
        assert _bash(script, folder, name, "orders.properties", "--") == own | SETTINGS | {"--task"}
    assert _bash(script, folder, "orders.properties", "--") == SETTINGS | {"--task", "--demo", "--help", "--version"}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["c"], {"check", "console", "copy", "completion"}),
        (["check", "o"], {"orders.properties"}),
        (["check", "more tasks/"], {"more tasks/customers.properties"}),
        (["help", ""], {*COMMANDS, "settings"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["orders.properties", "--onError", ""], {"hold", "deadLetter", "stop"}),
        (["orders.properties", "--onError", "=", "d"], {"deadLetter"}),
        (["orders.properties", "--onError", "="], {"hold", "deadLetter", "stop"}),
        (["copy", "orders.properties", "--enableStream", "t"], {"true"}),
        (["verify", "orders.properties", "--output", "no"], {"notes.txt"}),
        (["orders.properties", "--sourceTable", ""], set()),
        (["copy", "orders.properties", "--restart", "o"], {"orders.properties"}),
    ],
)
def test_bash_completes_what_may_follow(
    words: list[str], offered: set[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value where all are known, a file where one is wanted, nothing where nobody can know."""
    assert _bash(_script("bash", capsys), folder, *words) == offered


INTERACTIVE = {
    "bash": (["--norc", "--noprofile", "-i"], ""),
    "zsh": (["-f", "-i"], "autoload -U compinit; compinit -D -u; "),
}


@pytest.mark.parametrize("shell", INTERACTIVE)
def test_tab_completes_a_line_that_is_typed(shell: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a terminal: the command, the file with the space in its folder, and the options."""
    _skip_without(shell)
    arguments, first = INTERACTIVE[shell]
    (folder / "completion").write_text(_script(shell, capsys))
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover  # it becomes the shell
        os.chdir(folder)
        os.environ.update(TERM="dumb", PS1="$ ", INPUTRC=os.devnull)
        os.execlp(shell, shell, *arguments)  # noqa: S606  # it is the shell
    said = ""
    try:
        os.write(terminal, f"{first}source ./completion; run.sh() {{ printf '<%s>' \"$@\"; echo; }}\n".encode())
        os.write(terminal, b"run.sh ver\tmo\tcus\t--rep\t--del\t\n")
        while not re.search("<verify>.*>\r\n", said):
            assert select.select([terminal], [], [], PATIENCE_SECONDS)[0], said
            said += os.read(terminal, 1000).decode()
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)
    assert "<verify><more tasks/customers.properties><--repair><--deleteExtra>" in said


def _skip_without(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"this machine has no {shell}")


def test_fish_completes_what_may_follow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it says itself, asked for the completions of a line."""
    (folder / "completion").write_text(_script("fish", capsys))
    _skip_without("fish")
    for line, offered in {
        "run.sh pol": {"policy"},
        "run.sh or": {"orders.properties"},
        "run.sh copy orders.properties --dry": {"--dryRun"},
        "run.sh check orders.properties --dry": set(),
        "run.sh --onError d": {"deadLetter"},
        "run.sh help set": {"settings"},
        "run.sh completion f": {"fish"},
    }.items():
        done = subprocess.run(
            ["fish", "--private", "-c", f"source ./completion; complete -C {line!r}"],
            cwd=folder,
            env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert {each.split("\t")[0] for each in done.stdout.splitlines()} == offered, line


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_command_and_setting_is_in_each_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is only one of the shells, the others' scripts are looked at, too."""
    script = _script(shell, capsys)
    options = {option.name for command in COMMANDS.values() for option in command.options}
    assert [name for name in [*COMMANDS, *options, *BY_NAME] if name not in script] == []


@pytest.mark.parametrize("words", [["completion"], ["completion", "csh"], ["completion", "bash", "zsh"]])
def test_another_shell_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the names of those that there are."""
    assert main(words) == 22
    assert "name one shell, bash, zsh, fish" in capsys.readouterr().err


def test_settings_with_files_are_settings() -> None:
    """The one list that is not in the registry names what there is."""
    assert set(completion.FILE_SETTINGS) <= set(BY_NAME)
