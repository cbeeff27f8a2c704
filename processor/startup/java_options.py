"""Options of the daemon's JVM: ours, those of ``javaOptions``, and what Java itself finds in the environment.

If two of them contradict each other, the user's win. Before a start becomes Java, Java is run once to see whether it
accepts all of them.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from processor.errors import SetupError
from processor.reporting.findings import Finding, error, warning
from processor.settings.settings import Settings
from processor.startup import class_archive, java
from processor.system import program

# The JVM's own variables, in the order in which it reads them; the last is HotSpot's, and undocumented.
VARIABLES = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
# HotSpot's garbage collectors, including older versions'. With two of them Java does not start.
_COLLECTOR = re.compile(r"-XX:[+-]Use(?:ConcMarkSweep|Epsilon|G1|Parallel|ParallelOld|ParNew|Serial|Shenandoah|Z)GC\b")
# GetRecords runs on Java's common pool, which is too small for many shards on a small machine.
READER_THREADS = 64
# The same for many tasks: one whose endpoint is silent for 5 s a call must not keep all others from reading.
READER_THREADS_OF_MANY = 256
OUR_COLLECTOR = "-XX:+UseSerialGC"
# When Java compiles what it runs. What a quiet daemon runs a few times a second would be interpreted for many minutes,
# at three times the CPU. So the quick compiler comes after a third of the usual number of calls, and the optimizing
# one, which is most of the compilers' time in a start, after ten times the usual: a backlog is there within seconds.
_COMPILERS = (
    "-XX:Tier0InvokeNotifyFreqLog=5",  # the exponent of how often calls are looked at
    "-XX:Tier3InvocationThreshold=60",
    "-XX:Tier3MinInvocationThreshold=30",
    "-XX:Tier3CompileThreshold=600",
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)
# Seconds; a JVM that waits for a debugger (jdwp with suspend=y) would never answer.
_TIMEOUT_SECONDS = 30.0
# From some update of Java 17 on, the class archive is mapped at a random address. Older versions map it at the address
# it was made for, and most of its pages stay the file's.
_OLDEST_THAT_RELOCATES = 17
# Java's messages about variables and command lines repeat their values, which may be passwords.
_REPEATS = ("Picked up ", "NOTE: Picked up ")
_IN_USE = re.compile("address already in use|already in use", re.IGNORECASE)
_MAX_LINES = 4


def daemon_options(settings: Settings, directory: Path, *, reader_threads: int = READER_THREADS) -> list[str]:
    """All options on the JVM's command line.

    :param directory: the daemon's own, for its logs
    :param reader_threads: which may read the streams at one time
    :raises SetupError: there is no Java, or a jar is missing
    """
    archive = class_archive.find()
    ours = [
        *java.MEMORY,
        *([] if archive is None else _archive_options(archive)),
        *_COMPILERS,
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={directory}/hs_err_%p.log",
        "-XX:-UsePerfData",
        "-Xshare:auto",
        "-Dfile.encoding=UTF-8",
        f"-Djava.util.concurrent.ForkJoinPool.common.parallelism={reader_threads}",
        f"-Dlogback.configurationFile={settings.log_configuration or program.LOG_CONFIGURATION}",
        f"-DlogDirectory={directory}",
        f"-DlogFormat={settings.log_format}",
    ]
    return chosen(ours, settings.java_options, os.environ)


def _archive_options(archive: Path) -> list[str]:
    """Map it at the address it was made for: elsewhere Java writes most of its 70 MB anew at each start, for itself."""
    options = [f"-XX:SharedArchiveFile={archive}"]
    if java.version() >= _OLDEST_THAT_RELOCATES:
        options += ["-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0"]
    return options


def chosen(ours: Sequence[str], java_options: str, environment: Mapping[str, str]) -> list[str]:
    """Our options, then the user's, whose garbage collector replaces ours.

    :param java_options: the value of ``javaOptions``
    """
    theirs = shlex.split(java_options)
    has_collector = any(_COLLECTOR.search(text) for text in _texts(theirs, environment))
    return [option for option in ours if not (has_collector and option == OUR_COLLECTOR)] + theirs


def _texts(options: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """All texts in which Java finds options: the options themselves, and the files that they name."""
    given = [*options]
    for name in VARIABLES:
        value = environment.get(name, "")
        yield value
        given += value.split()
    for option in given:
        yield option
        for prefix in ("@", "-XX:Flags=", "-XX:VMOptionsFile="):
            if option.startswith(prefix):
                yield _content(option[len(prefix) :])


def _content(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except (OSError, ValueError):
        return ""  # Java reports it itself


def findings(settings: Settings) -> Iterator[Finding]:
    """Java's own message if it does not start with its options; it is run once with ``-version``."""
    try:
        in_the_way = _try_out(daemon_options(settings, Path(settings.log_directory) / settings.task_name))
    except SetupError as exc:
        yield error("java-options-unusable", exc.what, exc.value, exc.consequence, exc.remedy, cause="setup")
    else:
        if in_the_way is not None:
            yield warning(
                "java-does-not-start",
                f"Java {java.executable()}",
                f"does not start now with the daemon's options ({in_the_way})",
                "A start here ends while that is so",
                "If a daemon that runs here has that port, all is well; else give this one another",
            )


def _try_out(options: Sequence[str]) -> str | None:
    """None if Java starts, or its message if only another process prevents that.

    :raises SetupError: it does not start
    """
    executable = java.executable()
    try:
        ended = subprocess.run(
            [executable, *options, "-version"],
            env=os.environ | {"CLASSPATH": java.class_path()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as exc:
        raise _refused(executable, str(exc)) from exc
    if ended.returncode == 0:
        return None
    said = ended.stdout.decode(errors="replace")
    words = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(_REPEATS)]
    reason = " / ".join(words[:_MAX_LINES]) or f"it ends with {ended.returncode}"
    if _IN_USE.search(said):
        return reason
    raise _refused(executable, reason)


def _refused(executable: str, reason: str) -> SetupError:
    given = [name for name in VARIABLES if os.environ.get(name)]
    where = ", ".join(["javaOptions", *given])
    return SetupError(
        f"Java {executable}",
        f"does not start with the daemon's options ({reason})",
        "The daemon can't run",
        f"Check {where}: see that this Java knows each of those options, and that they go together",
    )
