"""``python -m processor`` is what run.sh ends in."""

import signal

# Until the command has a handler of its own, Ctrl-C ends this as it ends any program, without Python's traceback.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from processor.cli.main import console  # what takes longest of all

console()
