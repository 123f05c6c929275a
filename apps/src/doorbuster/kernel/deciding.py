"""The border around a pure decision: whatever it raises is poison, because the same input would raise it again (R7)."""

from collections.abc import Iterator
from contextlib import contextmanager

from doorbuster.kernel.errors import DecisionFailed, PoisonMessage


@contextmanager
def deciding() -> Iterator[None]:
    """Turn any exception of the pure code inside into DecisionFailed.

    Nothing inside may do input or output: what a server raises is no poison.

    Raises:
        DecisionFailed: the exception is its cause.
        PoisonMessage: unchanged, when the code inside already named the fact.
    """
    try:
        yield
    except PoisonMessage:
        raise
    except Exception as exc:
        raise DecisionFailed(f"a decision raised {type(exc).__name__}: {exc}") from exc
