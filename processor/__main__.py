"""``python -m processor`` is what run.sh ends in."""

from processor.cli import console

console()
