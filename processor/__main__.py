"""``python -m processor`` is what run.sh ends in."""

from processor.cli.main import console

console()
