"""What Docker and Kubernetes do to a program, without either.

Process 1 of its own namespace, the root file system read-only but for one folder, a user without a name and with no
way to more rights. That user may read everything, for a test's files lie anywhere.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.fakes.patience import until

USER = 10001
_SCRIPT = r"""#!/bin/sh
exec unshare --mount --pid --fork --kill-child --mount-proc sh -euc '
    mount --bind "$STATE" "$STATE"
    {mounts}
    mount -o remount,ro,bind /
    cd /
    exec setpriv --reuid={user} --regid={user} --clear-groups --no-new-privs --bounding-set=-all,+dac_read_search \
        --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search "$@"
' sh {command} "$@"
"""


def possible() -> bool:
    """Whether this machine makes namespaces for us."""
    tried = ["unshare", "--mount", "--pid", "--fork", "true"]
    return not subprocess.run(tried, capture_output=True, check=False).returncode


def script(folder: Path, command: Path, *, mounts: Mapping[Path, Path] | None = None) -> Path:
    """Write ``folder/run.sh``, which runs ``command`` so; it writes to the folder that ``STATE`` names.

    :param mounts: folder -> where the program shall see it
    """
    folder.mkdir(parents=True)
    lines = [f'mount --bind "{source}" "{target}"' for source, target in (mounts or {}).items()]
    run = folder / "run.sh"
    run.write_text(_SCRIPT.format(user=USER, mounts="\n    ".join(lines), command=shlex.quote(str(command))))
    run.chmod(0o755)
    return run


def first_process(outer: int) -> psutil.Process:
    """Process 1 inside, of the ``unshare`` with process id ``outer``, once it is the daemon's JVM."""

    def found() -> psutil.Process | None:
        children = psutil.Process(outer).children()
        return children[0] if children and children[0].name() == "java" else None

    process: psutil.Process = until(found, "the JVM")
    return process
