"""Time and randomness for ids."""

import secrets
import time

from doorbuster.kernel.ids import IdFactory


def id_factory() -> IdFactory:
    """Return what mints ids; one for a process, so that its ids increase (R19)."""
    return IdFactory(milliseconds=lambda: time.time_ns() // 1_000_000, random_bits=secrets.randbits)
