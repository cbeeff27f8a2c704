"""The settings that a daemon's process has, whatever the number of its tasks."""

from __future__ import annotations

from processor.settings.settings import Settings

# By the names of ``definitions.py``.
ProcessSettings = dict[str, str]


def of(settings: Settings) -> ProcessSettings:
    """Each by its name, as text; empty where it isn't set."""
    values = {
        "javaOptions": settings.java_options,
        "logConfiguration": settings.log_configuration,
        "logFormat": settings.log_format,
        "metricsAddress": settings.metrics_address,
        "metricsPort": settings.metrics_port,
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


def differing(settings: Settings, process: ProcessSettings) -> list[str]:
    """The names of those that are other for the task than for the process."""
    return [name for name, value in of(settings).items() if value != process[name]]
