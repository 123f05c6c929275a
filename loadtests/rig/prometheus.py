"""What Prometheus knows, several values with one question."""

import math
from collections.abc import Mapping

from loadtests.rig.api_server import ApiServer, Json
from loadtests.rig.errors import QuestionFailed

SERVICE = "observability-prometheus:9090"
# The label that tells the values of one answer apart.
LABEL = "figure"

GROUP = 'consumergroup="stock-service-group"'
# Over a few scrapes: between two of them the difference is 0 or all of it.
RATE = "[20s]"
# P17.
SCRAPE_SECONDS = 5
# Of the group that has the most, in records.
MOST_LAG = "max(sum by (consumergroup) (kafka_consumergroup_lag_sum))"
LOG_END = "kafka_topic_partition_current_offset"

# What is watched while the load runs. A paid order is one message in `order-completed`, a failed one in
# `order-cancelled`; a redrive may add a few. The verdict counts the orders themselves.
WATCHED: Mapping[str, str] = {
    "lag": f"sum(kafka_consumergroup_lag_sum{{{GROUP}}})",
    # What the consumers have in hand, and what the operator works out for what nobody has in hand.
    # Nothing older than three scrapes: an instant value may be five minutes old, and this one has a limit (P17).
    "oldest_age": (
        'max(last_over_time(consumer_oldest_record_age_seconds{group="stock-service-group"}[15s])'
        ' or last_over_time(scaler_oldest_record_age_seconds{scaler="stock"}[15s]))'
    ),
    "paid_per_s": f'sum(rate({LOG_END}{{topic="order-completed"}}{RATE}))',
    "failed_per_s": f'sum(rate({LOG_END}{{topic="order-cancelled"}}{RATE}))',
    "paid": f'sum({LOG_END}{{topic="order-completed"}})',
    "failed": f'sum({LOG_END}{{topic="order-cancelled"}})',
    # Only the watch knows it; all others say that they don't (NaN), and NaN is no value above 0.
    "pending": "max(sagas_open >= 0)",
}
# Zero for a while, because a sample is up to ten seconds old: scraped every five, read from Kafka every five.
QUIET: Mapping[str, str] = {"lag": "sum(max_over_time(kafka_consumergroup_lag_sum[15s]))"}


def union(expressions: Mapping[str, str]) -> str:
    """Return one PromQL expression with the values of all; each has one series or none."""
    return " or ".join(
        f'label_replace({expression}, "{LABEL}", "{name}", "", "")' for name, expression in expressions.items()
    )


def figures(answer: Json) -> dict[str, float]:
    """Return the values of a union by name; those that have none, or aren't numbers, are left out.

    Raises:
        QuestionFailed: it is no answer to a union.
    """
    try:
        values = {str(each["metric"][LABEL]): float(each["value"][1]) for each in answer["data"]["result"]}
    except (KeyError, IndexError, TypeError, ValueError) as exc:
        raise QuestionFailed(f"Prometheus gave an answer that can't be read: {exc!r}") from exc
    return {name: value for name, value in values.items() if math.isfinite(value)}


def points(answer: Json) -> list[tuple[float, float]]:
    """Return the one series of an answer, as seconds since 1970 and value; empty if there is none.

    Raises:
        QuestionFailed: it is no answer to a question about a stretch of time.
    """
    try:
        series = answer["data"]["result"]
        found = [(float(at), float(value)) for at, value in (series[0]["values"] if series else ())]
    except (KeyError, IndexError, TypeError, ValueError) as exc:
        raise QuestionFailed(f"Prometheus gave an answer that can't be read: {exc!r}") from exc
    return [(at, value) for at, value in found if math.isfinite(value)]


def ask_over(api: ApiServer, expression: str, *, begin: float, end: float) -> list[tuple[float, float]]:
    """Return what an expression was from one moment to another, in seconds since 1970; raises QuestionFailed."""
    span = {"start": f"{begin:.0f}", "end": f"{end:.0f}", "step": f"{SCRAPE_SECONDS}s"}
    return points(api.ask_service(SERVICE, "api/v1/query_range", query=expression, **span))


def ask(api: ApiServer, expressions: Mapping[str, str]) -> dict[str, float]:
    """Return the values of PromQL expressions by name; raises QuestionFailed."""
    return figures(api.ask_service(SERVICE, "api/v1/query", query=union(expressions)))
