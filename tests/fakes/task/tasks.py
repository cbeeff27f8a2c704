"""Settings of a task, made as a user makes them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import javaproperties

from processor.cli import arguments as settings_loader
from processor.settings.settings import Settings

if TYPE_CHECKING:
    import configargparse

REQUIRED = {
    "sourceRegion": "eu-west-1",
    "sourceTable": "orders",
    "destinationRegion": "us-east-1",
    "destinationTable": "orders-copy",
}
DIRECTORY = Path("/somewhere")
LOG_DIRECTORY = Path("/checkout/logs")


def load(text: str = "", *, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from a properties file's text, arguments and environment."""
    return settings_loader.load(
        arguments=arguments,
        properties=text,
        environment=environment or {},
        directory=DIRECTORY,
        log_directory=LOG_DIRECTORY,
        made=_parser(),
    )


@functools.cache  # to make one takes longer than a test
def _parser() -> configargparse.ArgumentParser:
    return settings_loader.parser("run.sh", "usage")


def task(**changed: str) -> Settings:
    """Settings of a task that only differs from the least there can be in ``changed``, by their public names."""
    return load(javaproperties.dumps(REQUIRED | changed))
