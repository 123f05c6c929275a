"""What Kubernetes says about a scaler's target."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of the target; times in seconds since 1970, None while it isn't ready.

    Attributes:
        template: the hash of the pod template that it was made from.
        leaving: whether it is being deleted.
    """

    name: str
    created_at: float
    ready_at: float | None
    template: str
    leaving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The target.

    Attributes:
        replicas: what its spec asks for.
        ready: replicas that are ready.
        pods: all its pods, also those that are leaving.
    """

    replicas: int
    ready: int
    pods: tuple[Pod, ...]

    @property
    def template(self) -> str:
        """The hash of the template that works: the newest ready pod's, any newest pod's when none is ready, else empty.

        A roll-out whose pods never become ready says nothing about the consumers that do the work.
        """
        pods = [pod for pod in self.pods if pod.ready_at is not None] or self.pods
        return max(pods, key=lambda pod: pod.created_at).template if pods else ""
