"""Chance for pauses, orders and ports: the operating system's, which nobody else reads or seeds.

The global generator of ``random`` is shared by all threads of a process. A generator of our own would be copied by a
fork, and the children of a daemon would then all wait for the same times.
"""

from __future__ import annotations

import random

CHANCE = random.SystemRandom()
