"""The settings that a daemon's process has, whatever the number of its tasks."""

from __future__ import annotations

from processor.settings.settings import Settings

# By the names of ``definitions.py``.
NAMES = ("javaOptions", "logConfiguration", "logFormat", "metricsAddress", "metricsPort")

ProcessSettings = dict[str, str]


def of(settings: Settings) -> ProcessSettings:
    """Each by its name, as text; empty where it isn't set."""
    values = (
        settings.java_options,
        settings.log_configuration,
        settings.log_format,
        settings.metrics_address,
        settings.metrics_port,
    )
    return {name: "" if value is None else str(value) for name, value in zip(NAMES, values, strict=True)}


def differing(settings: Settings, process: ProcessSettings) -> list[str]:
    """The names of those that are other for the task than for the process."""
    return [name for name, value in of(settings).items() if value != process[name]]
