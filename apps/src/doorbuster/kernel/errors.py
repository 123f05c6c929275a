"""What can go wrong, named for the fact.

DoorbusterError
├── NotAccepted             nothing was written; the same request may succeed later
│   ├── Overloaded          a bounded queue is full, or the caller's time ran out in it
│   ├── PrimaryUnavailable  MySQL has no primary that we can reach
│   └── BrokerUnavailable   Kafka is gone for longer than the outbox may grow
├── OutcomeUnknown          COMMIT was sent and no answer came; repeat with the same ids
└── PoisonMessage           can never succeed, however often it is tried (R7)
    ├── UndecodableMessage  not JSON, or not of the form that its type promises
    ├── UnknownMessage      a type or version that this release doesn't know
    ├── DecisionFailed      a pure decision raised; its cause says what
    └── DataRefused         the database refused the values (infra/mysql/sql_errors.py)
"""


class DoorbusterError(Exception):
    """The root of all our errors."""


class NotAccepted(DoorbusterError):
    """Nothing was written."""


class Overloaded(NotAccepted):
    """A bounded queue is full, or the caller's time ran out while waiting in it."""


class PrimaryUnavailable(NotAccepted):
    """MySQL has no primary that we can reach, or it went away before COMMIT was sent."""


class BrokerUnavailable(NotAccepted):
    """Kafka has been gone for longer than the outbox may grow (R17)."""


class OutcomeUnknown(DoorbusterError):
    """COMMIT was sent and no answer came (R2)."""


class PoisonMessage(DoorbusterError):
    """A message that can never succeed (R7)."""


class UndecodableMessage(PoisonMessage):
    """Not JSON, or not of the form that its type promises."""


class UnknownMessage(PoisonMessage):
    """A type or version that this release doesn't know."""


class DecisionFailed(PoisonMessage):
    """A pure decision raised an exception, which is this one's cause."""


class DataRefused(PoisonMessage):
    """The database refused the values."""
