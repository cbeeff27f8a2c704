"""One short real replication, by whatever program is to be proven."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from processor.commands.demo.dynamodb_local import DynamoDBLocal
from tests.conftest import ENVIRONMENT
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.machine.contained import USER
from tests.fakes.patience import until
from tests.scenarios.conftest import Pair, Servers


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Source and destination, and credentials that open nothing else."""
    os.environ.update(ENVIRONMENT)
    with ExitStack() as stack:
        local = [DynamoDBLocal(log=folder / f"{role}.log") for role in ("source", "destination")]
        yield Servers(*[stack.enter_context(each).endpoint for each in local])


def front_door(folder: Path, command: Path) -> Path:
    """``folder/run.sh``, which is that command."""
    folder.mkdir(parents=True)
    run = folder / "run.sh"
    run.write_text(f'#!/bin/sh\nexec {shlex.quote(str(command))} "$@"\n')
    run.chmod(0o755)
    return run


def replicates(run: Path, folder: Path, at: Servers, environment: Mapping[str, str]) -> None:
    """What is put, changed and deleted at the source is so at the destination; SIGTERM ends it with 0.

    :param run: the command, named ``run.sh``
    """
    pair = Pair(at)
    started = Replicator(folder, pair.settings, root=run.parent)
    with ExitStack() as stack:
        stack.callback(started.__exit__)
        started.log_directory.mkdir()
        if not os.getuid():  # else it is this user already that runs it
            os.chown(started.log_directory, USER, USER)
        started.start(environment={**environment, "STATE": str(started.log_directory)})
        for number in range(50):
            pair.put(f"key-{number}", n={"N": str(number)})
        pair.delete("key-7")
        pair.put("key-8", n={"N": "9" * 38})
        until(lambda: "key-8" in pair.replicated(), f"the first change; {started.console}")
        pair.wait_equal()
        family = [psutil.Process(started.process.pid), *psutil.Process(started.process.pid).children(recursive=True)]
        (jvm,) = [process for process in family if process.name() == "java"]
        jvm.send_signal(signal.SIGTERM)
        status = started.wait()
        assert status == 0, started.console
