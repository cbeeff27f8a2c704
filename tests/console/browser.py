"""A real Chromium without a screen, driven by Playwright: an installed one, or that of ``./test.sh chromium``."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from processor.startup import java

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_UNPACKED = java.ROOT / ".chromium"
_INSTALLED = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """Where it is, or None if there is none."""
    unpacked = _UNPACKED / "usr" / "lib" / "chromium" / "chromium"
    if unpacked.exists():
        return str(unpacked)
    return next(filter(None, map(shutil.which, _INSTALLED)), None)


def _environment() -> dict[str, str]:
    """With the unpacked one's libraries, and its fonts beside those of the machine."""
    environment = dict(os.environ)
    if not _UNPACKED.exists():
        return environment
    libraries = {str(path.parent) for path in (_UNPACKED / "usr" / "lib").glob("*-linux-gnu/**/*.so*")}
    environment["LD_LIBRARY_PATH"] = os.pathsep.join(sorted(libraries))
    environment["XDG_DATA_HOME"] = str(_UNPACKED / "usr" / "share")
    if not Path("/etc/fonts").exists() and (_UNPACKED / "etc" / "fonts").exists():
        environment["FONTCONFIG_PATH"] = str(_UNPACKED / "etc" / "fonts")
    return environment


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; it asks nobody but the pages that it is sent to."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program(), env=_environment(), args=["--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()
