"""What the OS says of processes: CPU time and resident memory, by the part they play."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.bench.figures import Figures

MB = 2**20
# Each part's processes as they are now.
Parts = Mapping[str, Callable[[], Iterable[psutil.Process]]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: ``at`` by ``time.monotonic()``, ``done`` records by then.

    ``cpu``, ``megabytes``, ``threads``: of each part, in seconds and as they are at the moment.
    """

    at: float
    done: float
    cpu: dict[str, float]
    megabytes: dict[str, float]
    threads: dict[str, int]


@dataclass(frozen=True, slots=True)
class Course:
    """Samples of one run, by age."""

    samples: list[Sample] = field(default_factory=list)

    def between(self, first: float, last: float = 1.0) -> Window:
        """From a share of the records that were done at the end to another."""
        total = self.samples[-1].done
        return Window(self._at(first * total), self._at(last * total))

    def peak_megabytes(self, part: str) -> float:
        """The most that was seen."""
        return max(sample.megabytes[part] for sample in self.samples)

    def peak_threads(self, part: str) -> int:
        """The most that were seen."""
        return max(sample.threads[part] for sample in self.samples)

    def _at(self, done: float) -> Sample:
        """What a look would have found when so many were done, between two that found fewer and more."""
        before = self.samples[0]
        if before.done >= done:
            return before
        for after in self.samples:
            if after.done >= done:
                break
            before = after
        share = (done - before.done) / (after.done - before.done) if after.done > before.done else 0.0
        return Sample(
            before.at + share * (after.at - before.at),
            done,
            {part: before.cpu[part] + share * (after.cpu[part] - before.cpu[part]) for part in after.cpu},
            after.megabytes,
            after.threads,
        )


@dataclass(frozen=True, slots=True)
class Window:
    """Of a run, from one sample to another."""

    first: Sample
    last: Sample

    @property
    def rate(self) -> float:
        """Records a second."""
        return (self.last.done - self.first.done) / (self.last.at - self.first.at)

    def cpu_micros(self, part: str) -> float:
        """Of each record."""
        return (self.last.cpu[part] - self.first.cpu[part]) / (self.last.done - self.first.done) * 1e6


class Tree:
    """A daemon's processes as they are at each look: the JVM, and all beneath it.

    :param pid: the JVM's
    """

    def __init__(self, pid: int) -> None:
        self.jvm = psutil.Process(pid)

    def processes(self) -> list[psutil.Process]:
        """The JVM first."""
        return [self.jvm, *self.jvm.children(recursive=True)]

    def cpu(self) -> Counter[str]:
        """Seconds so far: of the ``JVM``, and of the ``others`` that live."""
        used: Counter[str] = Counter()
        for process in self.processes():
            with contextlib.suppress(OSError):
                used["JVM" if process == self.jvm else "others"] += exact_cpu_seconds(process.pid)  # type: ignore[assignment]
        return used

    def note_memory(self, figures: Figures, name: str) -> dict[psutil.Process, Any]:
        """Add how much all of them take together, and how many threads the JVM has.

        :returns: psutil's ``memory_full_info`` of each
        """
        found = {}
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                found[process] = process.memory_full_info()
        figures[f"{name}: all processes, resident, MB"] = [sum(each.rss for each in found.values()) / MB]
        figures[f"{name}: all processes, proportional, MB"] = [sum(each.pss for each in found.values()) / MB]
        figures[f"{name}: threads of JVM"] = [self.jvm.num_threads()]
        return found


def server(endpoint: str) -> psutil.Process:
    """The DynamoDB Local of ours that serves it."""
    port = endpoint.rpartition(":")[2]
    return next(each for each in psutil.Process().children() if port in each.cmdline())


def cpu_seconds(process: psutil.Process) -> float:
    """Of the process alone."""
    times = process.cpu_times()
    return float(times.user + times.system)


def exact_cpu_seconds(pid: int) -> float:
    """Of the process alone, its ended threads included, to the nanosecond; Linux only.

    ``cpu_seconds`` counts hundredths, which an idle process uses up in a second or more.

    :raises OSError: it has ended
    """
    return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3), whose result Python can't ask for


def megabytes(process: psutil.Process) -> float:
    """Resident."""
    return float(process.memory_info().rss / MB)


def look(at: float, done: float, parts: Parts) -> Sample:
    """A sample of what runs now; a process that has just ended counts for nothing."""
    cpu, memory, threads = dict.fromkeys(parts, 0.0), dict.fromkeys(parts, 0.0), dict.fromkeys(parts, 0)
    for part, find in parts.items():
        for process in find():
            with contextlib.suppress(psutil.NoSuchProcess):
                cpu[part] += cpu_seconds(process)
                memory[part] += megabytes(process)
                threads[part] += process.num_threads()
    return Sample(at, done, cpu, memory, threads)
