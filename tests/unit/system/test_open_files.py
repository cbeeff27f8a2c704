"""How many files may be open."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from processor.startup import java

_LOOK = """
import resource
from processor.system import open_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
open_files.allow_many()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard", "expected"), [(64, 512, (512, 512)), (512, 512, (512, 512))])
def test_the_limit_is_raised_as_far_as_it_goes(soft: int, hard: int, expected: tuple[int, int]) -> None:
    """And never lowered."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= hard
    looked = [sys.executable, "-c", _LOOK.format(soft=soft, hard=hard)]
    done = subprocess.run(looked, cwd=java.ROOT, capture_output=True, text=True, check=True)
    assert tuple(map(int, done.stdout.split())) == expected
