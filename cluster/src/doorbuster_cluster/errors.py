"""What can go wrong here.

ClusterError          something a person has to know, with what to do next
├── CommandFailed     a program that we ran ended with an error
├── CommandTimedOut   a program that we ran took longer than it may
├── LockHeld          another run works on the same cluster or engine
└── HostNotRestored   `make down` left something on the machine that was not there before
"""


class ClusterError(Exception):
    """An error that the command line shows as one sentence and a next step, without a traceback.

    Attributes:
        hint: what the person can do now; empty when the sentence already says it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class CommandFailed(ClusterError):
    """A program ended with an error; the message holds its last lines."""


class CommandTimedOut(ClusterError):
    """A program was stopped because it took longer than it may."""


class LockHeld(ClusterError):
    """Another run holds the lock; the message names it."""


class HostNotRestored(ClusterError):
    """The machine differs from what was recorded before the first change."""
