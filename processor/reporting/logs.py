"""Writes log lines: a time, a level, one constant event name, then fields. Never an item's contents.

They are text (``time LEVEL event name=value …``) or, with ``logFormat=json``, one JSON object a line with the same
names. Nothing that is logged can forge or hide a line: each character that isn't printable is escaped, and in text the
lines of a traceback begin with a tab. The daemon's JVM reads the children's stderr and writes it into replication.log;
lines of level NOTICE and above are also shown on the console. The JVM's own lines look the same; its classes ``Event``
and ``LogLines`` correspond to this module.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from collections.abc import Mapping
from typing import TextIO

from processor.reporting.printable import escaped
from processor.reporting.secrets import hidden

TEXT = "text"
JSON = "json"
# Between INFO and WARNING, as in syslog: rare, and worth a look.
NOTICE = 25
# The event name for a line that a library logged.
LIBRARY = "library"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+%")


class Log:
    """Writes events under one name, with fields common to all of them."""

    def __init__(self, **fields: object) -> None:
        self._fields = fields
        self._logger = logging.getLogger("processor")

    def info(self, event: str, **fields: object) -> None:
        """Something for those who read the whole log."""
        self._write(logging.INFO, event, fields)

    def notice(self, event: str, **fields: object) -> None:
        """Something for the console, too."""
        self._write(NOTICE, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something to act on if it lasts."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, *, trace: bool = False, **fields: object) -> None:
        """The end of this process, or of one change."""
        self._write(logging.ERROR, event, fields, trace=trace)

    def relayed(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        """What another process of ours would have written."""
        self._write(level, event, dict(fields))

    def _write(self, level: int, event: str, fields: dict[str, object], *, trace: bool = False) -> None:
        self._logger.log(level, event, extra={"fields": self._fields | fields}, exc_info=trace)


class _Formatter(logging.Formatter):
    """The part that both forms share."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None)
        event = LIBRARY if fields is None else record.msg
        fields = {"logger": record.name, "message": record.getMessage()} if fields is None else fields
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = self.line(
            f"{moment}.{int(record.msecs):03d}Z",
            record.levelname,
            event,
            {name: value for name, value in fields.items() if value is not None},
            trace=self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else None,
        )
        return hidden(line)

    def line(self, moment: str, level: str, event: str, fields: Mapping[str, object], *, trace: str | None) -> str:
        raise NotImplementedError


class _TextFormatter(_Formatter):
    def line(self, moment: str, level: str, event: str, fields: Mapping[str, object], *, trace: str | None) -> str:
        pairs = "".join(f" {name}={_quoted(value)}" for name, value in fields.items())
        return f"{moment} {level} {event}{pairs}" + (_indented(trace) if trace else "")


class _JsonFormatter(_Formatter):
    """The daemon decides by the first two names, in this order, which lines go to the console."""

    def line(self, moment: str, level: str, event: str, fields: Mapping[str, object], *, trace: str | None) -> str:
        entry: dict[str, object] = {"time": moment, "level": level, "event": event}
        entry |= {name: _typed(value) for name, value in fields.items()}
        if trace:
            entry["trace"] = trace
        # Only ASCII, which is json's default: no locale's encoding can break a line.
        return json.dumps(entry, separators=(",", ":"))


def _quoted(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if text and _PLAIN.issuperset(text) else escaped(json.dumps(text, ensure_ascii=False))


def _indented(trace: str) -> str:
    """A traceback, indented so that none of its lines looks like a log line, whatever the exception's message holds."""
    return "".join(f"\n\t{escaped(line)}" for line in trace.split("\n"))


def _typed(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such numbers
    return value if isinstance(value, (bool, int, float)) else str(value)


def configure(stream: TextIO | None = None, *, form: str = TEXT) -> None:
    """Send this process's events, and libraries' warnings, to ``stream`` (stderr).

    :param form: ``TEXT`` or ``JSON``, as ``logFormat`` has it
    """
    logging.addLevelName(NOTICE, "NOTICE")
    logging.captureWarnings(capture=True)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == JSON else _TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("processor").setLevel(logging.INFO)
