"""The pages that people read: every link leads somewhere, and the site is built of them without help from outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify

from processor.startup import java
from tests import pages

PAGES = [java.ROOT / "README.md", java.ROOT / "CHANGELOG.md", *sorted((java.ROOT / "docs").rglob("*.md"))]
# The README is read in five minutes; what takes longer has a page in docs/.
README_LINES = 200
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
# What a browser loads by itself, and the attribute that says from where; a canonical address is not loaded.
_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


def _prose(page: Path) -> str:
    return pages.prose(page.read_text())


def _anchors(page: Path, *, site: bool) -> set[str]:
    """A heading's name in the site, or in a code host's view of the file."""
    found = set()
    for heading in _HEADING.findall(_prose(page)):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        kept = "".join(each for each in text.lower() if each in " -_" or unicodedata.category(each)[0] in "LN")
        found.add(slugify(text, "-") if site else kept.replace(" ", "-"))
    return found


def _broken(page: Path) -> Iterator[str]:
    for target in _LINK.findall(_prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and not all(anchor in _anchors(path, site=site) for site in (True, False))):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(java.ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and its anchor a heading, in the site and in the file's own view."""
    assert list(_broken(page)) == []


def test_the_readme_stays_short() -> None:
    """What takes longer to read has a page of its own."""
    assert len((java.ROOT / "README.md").read_text().splitlines()) <= README_LINES


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is loaded from another host."""
        given = dict(attrs)
        address = given.get(_LOADED.get(tag, "")) or ""
        if re.match(r"([a-z]+:)?//", address) and given.get("rel") != "canonical":
            self.outside.append(address)


def test_the_site_is_whole_and_loads_nothing_from_outside(tmp_path: Path) -> None:
    """It is built as ``./test.sh docs`` does it, every page is in its menu, and a reader's browser asks nobody else."""
    made = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=java.ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(PAGES) - 2  # README and CHANGELOG are read where they are
    for page in pages:
        loads = _Loads()
        loads.feed(page.read_text())
        assert loads.outside == [], page.name
