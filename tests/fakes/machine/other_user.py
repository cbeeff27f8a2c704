"""Files and folders of another user of the machine, as far as whoever runs the tests can make them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# Nobody's, on any machine.
UID = 54321


def give_away(path: Path, patch: pytest.MonkeyPatch | None = None) -> str:
    """Make ``path`` itself, which may be a link, somebody else's.

    Only root can. For anybody else this process is somebody else from now on, where ``patch`` is given; where it isn't,
    because another process is meant, everybody may write it instead.

    :returns: what is said of it
    """
    if os.geteuid() == 0:
        os.chown(path, UID, UID, follow_symlinks=False)
        return f"uid {UID}"
    if patch is not None:
        real = os.geteuid()
        patch.setattr(os, "geteuid", lambda: UID)
        return f"uid {real}"
    path.chmod(0o777)
    return "can be written by every user"
