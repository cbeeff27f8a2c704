"""``python -m processor`` is what run.sh ends in."""

import sys

from processor.cli import main

sys.exit(main(sys.argv[1:]))
