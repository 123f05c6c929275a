"""Redis fails over by itself and its members find each other again; what it may lose is stated, not hidden."""

from tests.e2e.conftest import Figures, PowerCut
from tests.e2e.kubernetes import Kubernetes
from tests.integration.polling import seconds_until

BREAKS = ("statefulset/data-redis",)
MEMBERS = ("data-redis-0", "data-redis-1", "data-redis-2")
# redis-cli takes the password from the environment, where no list of processes shows it.
ASK = 'REDISCLI_AUTH=$(cat /secrets/redis/password) exec redis-cli "$@"'


def test_loss_of_the_primary_is_failed_over(healthy: Kubernetes, power_cut: PowerCut, figures: Figures) -> None:
    old = primary(healthy)
    assert redis(healthy, old, "set", "e2e-failover", "kept") == "OK"
    # Two replicas have it in memory: the part of Redis' data that survives a failover.
    assert redis(healthy, old, "wait", "2", "2000") == "2"
    power_cut(old)
    figures.seconds("Redis: another primary after the kill of the primary", seconds_until(
        lambda: primary(healthy, ask=other_than(old)) != old, within_seconds=60, what="another Redis primary"
    ))  # fmt: skip
    assert redis(healthy, primary(healthy, ask=other_than(old)), "get", "e2e-failover") == "kept"
    wait_for_complete(healthy)


def test_loss_of_all_members_at_once_heals_without_a_person(
    healthy: Kubernetes, power_cut: PowerCut, figures: Figures
) -> None:
    seconds_until(
        lambda: in_all_files(healthy, "e2e-restart", "kept"), within_seconds=60, what="the key is in all files"
    )
    power_cut(*MEMBERS)
    figures.seconds("Redis: all members killed at once, ready again", healthy.wait_ready(
        "statefulset/data-redis", within_seconds=180
    ))  # fmt: skip
    wait_for_complete(healthy)
    assert redis(healthy, primary(healthy), "get", "e2e-restart") == "kept"


def redis(kubernetes: Kubernetes, pod: str, *command: str, port: int = 6379) -> str:
    """Return what one instance answers."""
    words = ("bash", "-c", ASK, "redis-cli", "-p", str(port), *command)
    return kubernetes.execute(pod, *words, container="redis").strip()


def in_all_files(kubernetes: Kubernetes, key: str, value: str) -> bool:
    """Write a key, and return whether it came into the files of all three members within a second."""
    # Redis waits for what the same connection has written.
    words = ("bash", "-c", f"printf '%s\\n' 'set {key} {value}' 'waitaof 1 2 1000' | {ASK}")
    answer = kubernetes.execute(primary(kubernetes), *words, container="redis")
    return answer.split() == ["OK", "1", "2"]


def primary(kubernetes: Kubernetes, ask: str = "data-redis-0") -> str:
    """Return the pod that the Sentinel of the pod `ask` names as the primary."""
    address = redis(kubernetes, ask, "sentinel", "get-master-addr-by-name", "doorbuster", port=26379).splitlines()[0]
    services = {member: kubernetes.get("service", member)["spec"]["clusterIP"] for member in MEMBERS}
    return next(member for member, found in services.items() if found == address)


def other_than(pod: str) -> str:
    """Return a member that isn't this one."""
    return next(member for member in MEMBERS if member != pod)


def wait_for_complete(kubernetes: Kubernetes) -> None:
    """Wait until the primary has two replicas and the Sentinels know each other and no ghosts."""

    def complete() -> bool:
        kubernetes_ready = kubernetes.ready("statefulset", "data-redis")
        replicas = redis(kubernetes, primary(kubernetes), "info", "replication")
        known = redis(kubernetes, "data-redis-0", "info", "sentinel", port=26379)
        return kubernetes_ready and "connected_slaves:2" in replicas and "slaves=2,sentinels=3" in known

    seconds_until(complete, within_seconds=120, what="one primary, two replicas, three Sentinels")
