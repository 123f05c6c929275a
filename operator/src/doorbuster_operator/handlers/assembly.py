"""Puts the operator together: what each part needs, for each namespace that is looked at."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from doorbuster_operator.adapters.kubernetes_api import ClusterApi
from doorbuster_operator.adapters.kubernetes_api import connected as connected_to_cluster
from doorbuster_operator.adapters.kubernetes_lease import KubernetesLease
from doorbuster_operator.adapters.kubernetes_scalers import KubernetesScalers
from doorbuster_operator.adapters.kubernetes_workloads import KubernetesWorkloads
from doorbuster_operator.adapters.prometheus import PrometheusMetrics
from doorbuster_operator.handlers.roles import Namespace
from doorbuster_operator.ports import Leadership
from doorbuster_operator.reconcilers.scaling import ScalingReconciler, Times
from doorbuster_operator.settings import Settings


@contextmanager
def connected(settings: Settings) -> Iterator[tuple[Sequence[Namespace], Leadership]]:
    """Yield the namespaces and the Lease, over one connection to the API server.

    Raises:
        ClusterUnavailable: nothing says where it is.
    """
    with connected_to_cluster(settings.kubeconfig, request_seconds=settings.request_seconds) as api:
        lease = KubernetesLease(api, namespace=settings.namespace, name=settings.lease_name, identity=settings.identity)
        yield [_namespace(api, name, settings) for name in settings.watched], lease


def _namespace(api: ClusterApi, name: str, settings: Settings) -> Namespace:
    scalers = KubernetesScalers(api, namespace=name)
    reconciler = ScalingReconciler(
        PrometheusMetrics(settings.prometheus_url, namespace=name, request_seconds=settings.request_seconds),
        KubernetesWorkloads(api, namespace=name),
        scalers,
        times=Times(scrape=settings.scrape_seconds, look=settings.tick_seconds),
    )
    return Namespace(name=name, objects=scalers, reconciler=reconciler)
