"""Why the demonstration stopped.

DemoError (a ClusterError: one sentence and a next step)
├── WrongCluster       the kubeconfig isn't that of our kind cluster
├── NotReached         something that was waited for didn't come in time
├── QuestionFailed     the API server, Prometheus or the database gave no answer that can be used
├── TopUpFailed        the job that makes buyers and stock printed no result
└── LoadFailed         locust ended with an error, or too late
"""

from doorbuster_cluster.errors import ClusterError


class DemoError(ClusterError):
    """What a person reads in one sentence, and what to do next."""


class WrongCluster(DemoError):
    """The kubeconfig leads somewhere else than to our kind cluster."""


class NotReached(DemoError):
    """A wait is over, and what was waited for isn't there."""


class QuestionFailed(DemoError):
    """There is no answer that can be used."""


class TopUpFailed(DemoError):
    """The job that makes buyers and stock didn't say what it made."""


class LoadFailed(DemoError):
    """Locust ended with an error, or didn't end."""


def reason_of(exc: Exception) -> str:
    """Return an error as one sentence, with its next step where it has one."""
    hint = exc.hint if isinstance(exc, ClusterError) else ""
    return f"{exc} → {hint}" if hint else str(exc)
