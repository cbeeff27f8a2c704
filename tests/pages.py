"""The blocks on README's and docs' pages: commands, and why no test types some of them; settings; samples.

The test that ``TYPED`` names for a page types each of its blocks as it stands, but for those with a comment in the line
above, which no reader sees: ``<!-- not run here: needs Kubernetes -->``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from processor.startup import java

PAGES = [
    java.ROOT / "README.md",
    java.ROOT / "CONTRIBUTING.md",
    *sorted((java.ROOT / "docs").glob("*.md")),
]
# By page, the test that types its blocks.
TYPED = {
    "choose.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "console.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "copy.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "cutover.md": "tests/scenarios/test_docs.py::test_a_cutover_has_a_way_back",
    "dead-letters.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "deploy.md": "tests/scenarios/test_docs_deploy.py::test_a_machine_is_made_as_the_page_says",
    "drill.md": "tests/drill/__main__.py::_steps",
    "many.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "metrics.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "operations.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "preview.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "README.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "security.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
    "self.md": "tests/scenarios/test_docs.py::test_a_replica_makes_itself",
    "trial.md": "tests/scenarios/test_docs.py::test_the_trial_leads_from_nothing_to_a_replica",
    "two-way.md": "tests/scenarios/test_docs_two_way.py::test_two_way_s_life",
    "verify.md": "tests/scenarios/test_docs.py::test_every_command_of_one_task",
}
_BLOCK = re.compile(
    r"(?:^[^\n]*<!-- not run here: (?P<why>[^\n]+) -->\n)?^(?P<indentation> *)```\w*\n(?P<text>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)
# A line that is a command: behind a prompt, of ours or another program that pages name, or with an option.
_COMMAND = re.compile(
    r"^\$ "
    r"|^(?:[^\s=]*/)?(?:run\.sh|dynamodb-replicator|setup\.sh|test\.sh|aws|docker|sudo|python3|pip|pipx|export"
    r"|git|until|kill|curl|src|dst|printf|helm|terraform|kubectl|ssh|scp|cp|tail)\s+(?!─)"
    r"|^[a-z][\w.-]*(?! =)(?: \S+)* --[a-z]"
)


class Block(NamedTuple):
    """What stands between two fences.

    :param text: as it stands there, without the page's indentation
    :param why: why no test types it; empty where one does
    """

    page: str
    text: str
    why: str

    @property
    def lines(self) -> list[str]:
        """Its commands, continued ones joined, without comments."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [re.sub(r"\s+# .*$", "", line.strip()) for line in joined.splitlines()]


def fenced(page: Path) -> Iterator[Block]:
    """All blocks of a page, in its order."""
    for match in _BLOCK.finditer(page.read_text()):
        text = re.sub(f"^{match['indentation']}", "", match["text"], flags=re.MULTILINE)
        yield Block(page.name, text, match["why"] or "")


def blocks(page: Path) -> Iterator[Block]:
    """Those with commands."""
    return (block for block in fenced(page) if any(_COMMAND.match(line) for line in block.lines))


def typed(name: str) -> list[Block]:
    """Those that the page's test types."""
    return [block for block in blocks(_page(name)) if not block.why]


def shown(name: str, beginning: str) -> str:
    """The text of the page's one block that begins so: a properties file, or a sample of what is printed."""
    (found,) = (block.text for block in fenced(_page(name)) if block.text.startswith(beginning))
    return found


def prose(text: str) -> str:
    """A page's text without its blocks."""
    return _BLOCK.sub("", text)


def _page(name: str) -> Path:
    (page,) = (each for each in PAGES if each.name == name)
    return page
