"""What the demo's two tables show at one moment, and how that is told."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesLook:
    """What the two tables show at one moment.

    :param differing: keys whose items are not the same in both
    :param late: those of them that were last written more than ``command.FRESH_SECONDS`` ago
    :param conflicts: of a two-way demo, in which ``written`` is of both sides, and ``replicated`` means nothing
    :param replica: of a demo whose replica looks after itself, how far that is
    """

    seconds: float
    written: int
    replicated: int
    lag_p50: float | None
    lag_p95: float | None
    differing: list[str]
    late: list[str]
    conflicts: int | None = None
    replica: str | None = None

    @property
    def equal(self) -> str:
        """Whether the tables are equal, in words."""
        if self.late:
            return f"not yet ({len(self.late)} keys)"
        return "yes, but for the last second" if self.differing else "yes"

    @property
    def pending(self) -> int:
        """Writes not yet seen at the destination."""
        return self.written - self.replicated

    def line(self) -> str:
        """For a log or a pipe."""
        if self.conflicts is not None:
            return (
                f"{self.seconds:5.0f} s  written {self.written} on both sides  conflicts {self.conflicts}  "
                f"lag p50 {_seconds(self.lag_p50)} p95 {_seconds(self.lag_p95)}  hub = spoke: {self.equal}"
            )
        return (
            f"{self.seconds:5.0f} s  written {self.written}  replicated {self.replicated}  pending {self.pending}  "
            f"lag p50 {_seconds(self.lag_p50)} p95 {_seconds(self.lag_p95)}  source = destination: {self.equal}"
            f"{'' if self.replica is None else f'  replica: {self.replica}'}"
        )

    def table(self) -> Table:
        """For a terminal."""
        is_two_way = self.conflicts is not None
        title = f"orders {'<->' if is_two_way else '->'} orders-copy  (Ctrl-C stops writing)"
        table = Table(title=title, show_header=False, min_width=56)
        table.add_row("running", f"{self.seconds:.0f} s")
        table.add_row("written on both sides" if is_two_way else "written", str(self.written))
        if is_two_way:
            table.add_row("conflicts", str(self.conflicts))
        else:
            table.add_row("replicated", str(self.replicated))
            table.add_row("pending", str(self.pending))
        table.add_row("lag p50 / p95", f"{_seconds(self.lag_p50)} / {_seconds(self.lag_p95)}")
        table.add_row("hub = spoke" if is_two_way else "source = destination", self.equal)
        if self.replica is not None:
            table.add_row("replica", self.replica)
        return table


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
