"""How long a copy may live (R6).

A reader never sees a value older than 2 s after the acknowledged write with Redis up, 31 s without.

With Redis up: a write is acknowledged after its version floor is set, and from then on no question to Redis brings or
takes an older value. So an older one was read by a flight that began before; a flight lasts 1.5 s at most, and what
the process keeps of it ends 1 s after the flight's beginning. That is 1.5 s.

Without Redis, the floor isn't set: a flight may read a secondary that is up to 5 s behind (it is cut off and doesn't
know it yet), leave that in Redis until 24 s after its beginning, and a last flight may show it for 1.5 s: 30.5 s. The
same holds where Redis lost a floor that it had acknowledged, in a failover.
"""

PROCESS_SECONDS = 1.0
"""In the process, from the beginning of the flight that read it."""
NEGATIVE_SECONDS = 1.0
"""That something isn't there, in the process alone: it has no version that could be compared."""
FLIGHT_SECONDS = 1.5
"""One reading, with all that it asks; what took longer is too old to be shown."""
SHARED_SECONDS = 24.0
"""In Redis, from the beginning of the flight that read it."""
FLOOR_SECONDS = 120.0
"""A version floor outlives whatever was read before it was set, and every copy of that."""
RETRY_SECONDS = 31.0
"""So long a write tries to set its floor: afterwards nothing older can be left anywhere."""
# Copies that were made together shall not end together.
_LEAST_SHARE = 0.8


def shortened(seconds: float, chance: float) -> float:
    """Return 80 to 100 % of a time: jitter only ever goes downwards.

    Args:
        seconds: the bound.
        chance: a random number from 0 to 1.
    """
    return seconds * (_LEAST_SHARE + (1 - _LEAST_SHARE) * chance)
