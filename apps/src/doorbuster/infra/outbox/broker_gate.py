"""Kafka gone: orders are accepted while the outbox may grow, and then refused (R17)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from confluent_kafka import KafkaException

from doorbuster.infra.circuits import Dependency, show_breaker
from doorbuster.infra.kafka.clients import admin_client
from doorbuster.infra.mysql.database_lock import Readings
from doorbuster.infra.outbox.outbox_backlog import Backlog, watch_backlog
from doorbuster.kernel.breaker import BreakerState
from doorbuster.kernel.errors import BrokerUnavailable
from doorbuster.settings import KafkaSettings

MOST_ROWS = 20_000
OLDEST_SECONDS = 60.0
CHECK_SECONDS = 1.0
# With the pause before it, an outage is seen within 5 s (R17).
BROKER_ANSWER_SECONDS = 2.5

log = structlog.get_logger()


class BrokerGate:
    """Knows from background checks whether a write that needs Kafka later may be accepted now.

    Whether it may is judged by the outbox alone: a Kafka that nobody reaches matters only as far as messages wait, and
    messages that wait while Kafka answers are the same harm.
    """

    def __init__(
        self, database: Readings, ask_broker: Callable[[], bool], *, check_seconds: float = CHECK_SECONDS
    ) -> None:
        """Check nothing yet; until the first measurement everything is accepted.

        Args:
            database: where the outbox is.
            ask_broker: says whether a broker answers; called in a thread, ends within BROKER_ANSWER_SECONDS.
            check_seconds: the pause between two checks.
        """
        self._database = database
        self._ask_broker = ask_broker
        self._check_seconds = check_seconds
        self._backlog: Backlog | None = None
        self._broker_reachable: bool | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="broker-gate")
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        show_breaker(Dependency.KAFKA, self.state)

    @property
    def state(self) -> BreakerState:
        """What the gate does with a write that needs Kafka later, in the words of a breaker."""
        return BreakerState.CLOSED if self.accepts() else BreakerState.OPEN

    @property
    def broker_reachable(self) -> bool | None:
        """Whether a broker answered the last question; None before the first answer."""
        return self._broker_reachable

    @property
    def backlog(self) -> Backlog | None:
        """What waited in the outbox at the last measurement; None before the first."""
        return self._backlog

    def accepts(self) -> bool:
        """Whether the outbox may grow."""
        backlog = self._backlog
        return backlog is None or (backlog.rows < MOST_ROWS and backlog.oldest_age_seconds <= OLDEST_SECONDS)

    def require(self) -> None:
        """Return if the outbox may grow.

        Raises:
            BrokerUnavailable: too much waits in it, or for too long.
        """
        if not self.accepts():
            raise BrokerUnavailable("messages wait for Kafka for too long; try again later")

    def start(self) -> None:
        """Begin to check."""
        self._tasks = (
            asyncio.create_task(watch_backlog(self._database, self.see, every_seconds=self._check_seconds)),
            asyncio.create_task(self._watch_broker()),
        )

    async def close(self) -> None:
        """End the checks; waits for a question to Kafka that is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._thread.shutdown)

    def see(self, backlog: Backlog | None) -> None:
        """Judge by this measurement from now on; None changes nothing: a database that is gone refuses by itself."""
        if backlog is None:
            return
        accepted = self.accepts()
        self._backlog = backlog
        if accepted != self.accepts():
            show_breaker(Dependency.KAFKA, self.state)
            log.warning(
                "broker_gate_closed" if accepted else "broker_gate_opened",
                rows=backlog.rows,
                oldest_age_seconds=backlog.oldest_age_seconds,
            )

    async def _watch_broker(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            reachable = await loop.run_in_executor(self._thread, self._ask_broker)
            if reachable != self._broker_reachable:
                log.info("broker_reachability_changed", reachable=reachable)
            self._broker_reachable = reachable
            await asyncio.sleep(self._check_seconds)


def broker_question(settings: KafkaSettings) -> Callable[[], bool]:
    """Return a function that asks Kafka for its brokers: true when one answers within BROKER_ANSWER_SECONDS."""
    admin = admin_client(settings)

    def ask() -> bool:
        try:
            # Asks the network each time; nothing in it is remembered.
            return bool(admin.list_topics(timeout=BROKER_ANSWER_SECONDS).brokers)
        except KafkaException:
            return False

    return ask
