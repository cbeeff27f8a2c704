"""What deploy/Dockerfile makes, without an engine: its own steps, one by one, in a mount namespace.

What an engine would fetch from Debian must be on this machine already; those steps are left out, and so is the base
image. What is left is all that is ours: what is copied, in which order, and every command that is run on it.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

from processor.startup import java

_DOCKERFILE = java.ROOT / "deploy" / "Dockerfile"
# The build's own folders, which no other process sees; the network and Maven's and pip's caches stay the machine's.
_IN_NAMESPACE = """
mount --bind "$1/build" "$2"
mkdir -p /opt
mount --bind "$1/opt" /opt
cd "$2"
exec sh -euc "$3"
"""


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, each with its words on one line, without comments."""
    text = re.sub(r"^\s*#.*\n", "", _DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line]
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines)]


def can_build() -> bool:
    """Whether this machine makes namespaces for us."""
    return not subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode


def build(folder: Path) -> Path:
    """Run the steps of the first stage.

    :returns: the folder that the second stage has as ``/opt``; its command works only where it is mounted there
    """
    (folder / "build").mkdir(parents=True)
    (folder / "opt").mkdir()
    stage = 0
    place = ""
    for name, words in instructions():
        stage += name == "FROM"
        if stage > 1:
            break
        if name == "WORKDIR":
            place = words
        elif name == "COPY":
            _copy(words.split(), folder / "build")
        elif name == "RUN" and "apt-get" not in words:
            command = ["unshare", "--mount", "sh", "-euc", _IN_NAMESPACE, "sh", folder, place, words]
            Path(place).mkdir(exist_ok=True)
            subprocess.run(command, check=True)
    return folder / "opt"


def _copy(words: list[str], folder: Path) -> None:
    *sources, target = words
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *sources],
        cwd=java.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for source in listed.splitlines():
        name = source if len(sources) > 1 or target.endswith("/") else target + source.removeprefix(sources[0])
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(java.ROOT / source, folder / name)


def packages() -> set[str]:
    """The Debian packages that the Dockerfile installs."""
    return {
        word
        for name, words in instructions()
        if name == "RUN"
        for part in words.split("&&")
        if "apt-get install" in part
        for word in shlex.split(part)[2:]
        if not word.startswith("-")
    }
