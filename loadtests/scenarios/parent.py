"""Ends a rush with the process that began it: one that was killed can't, and the load would go on for minutes."""

import os
import signal

import gevent
import structlog

LOOK_SECONDS = 1.0

log = structlog.get_logger()


def end_with(parent: int) -> None:
    """Look now and then; as soon as this process has another parent, end it as SIGTERM does, with a whole witness.

    Args:
        parent: the id of the process that is to be its parent.
    """
    while os.getppid() == parent:
        gevent.sleep(LOOK_SECONDS)
    log.error("parent_gone", parent=parent)
    os.kill(os.getpid(), signal.SIGTERM)
