"""Free ports for servers that tests start."""

import random
import socket

# Below what Linux gives to clients (32768 and up): between the choice and the server's start, and while a server is
# down for a moment, no connection of anybody can get the port.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 100
# A port that was given and isn't listened on yet looks free: a second server on it would answer for the first.
_given: set[int] = set()


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on at this moment, and that this process was never given before.

    Raises:
        RuntimeError: a hundred ports, taken at random, were all in use.
    """
    for _ in range(ATTEMPTS):
        port = random.randrange(LOWEST, HIGHEST)
        if port in _given:
            continue
        with socket.socket() as listener:
            # As servers do it: what an earlier one left in TIME_WAIT is no obstacle.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError(f"{ATTEMPTS} ports between {LOWEST} and {HIGHEST} are all in use")
