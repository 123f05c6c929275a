"""Free ports for servers that tests start."""

import random
import socket

# Below what Linux gives to clients (32768 and up): between the choice and the server's start, and while a server is
# down for a moment, no connection of anybody can get the port.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 100
# A port that was given and isn't listened on yet looks free: a second server on it would answer for the first. So each
# is held with the other protocol, whose numbers are counted apart, until this process ends: tests run in several.
_held: dict[int, socket.socket] = {}


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody listens on, and that no running process of tests was given before.

    Raises:
        RuntimeError: a hundred ports, taken at random, were all in use.
    """
    for _ in range(ATTEMPTS):
        port = random.randrange(LOWEST, HIGHEST)
        holder = socket.socket(type=socket.SOCK_DGRAM)
        if _binds(holder, port) and _is_free(port):
            _held[port] = holder
            return port
        holder.close()
    raise RuntimeError(f"{ATTEMPTS} ports between {LOWEST} and {HIGHEST} are all in use")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        # As servers do it: what an earlier one left in TIME_WAIT is no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _binds(listener, port)


def _binds(opened: socket.socket, port: int) -> bool:
    try:
        opened.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
