"""Why a run on the local cluster stopped.

RigError (a ClusterError: one sentence and a next step)
├── WrongCluster       the kubeconfig isn't that of our kind cluster
├── NotReached         something that was waited for didn't come in time
├── QuestionFailed     the API server, Prometheus or the database gave no answer that can be used
├── JobFailed          a job in a pod printed no result that can be read
│   └── TopUpFailed    the one that makes buyers and stock
└── LoadFailed         locust ended with an error, or too late
"""

from doorbuster_cluster.errors import ClusterError


class RigError(ClusterError):
    """What a person reads in one sentence, and what to do next."""


class WrongCluster(RigError):
    """The kubeconfig leads somewhere else than to our kind cluster."""


class NotReached(RigError):
    """A wait is over, and what was waited for isn't there."""


class QuestionFailed(RigError):
    """There is no answer that can be used."""


class JobFailed(RigError):
    """A job in a pod didn't say what it did."""


class TopUpFailed(JobFailed):
    """The job that makes buyers and stock didn't say what it made."""


class LoadFailed(RigError):
    """Locust ended with an error, or didn't end."""


def reason_of(exc: Exception) -> str:
    """Return an error as one sentence, with its next step where it has one."""
    hint = exc.hint if isinstance(exc, ClusterError) else ""
    return f"{exc} → {hint}" if hint else str(exc)
