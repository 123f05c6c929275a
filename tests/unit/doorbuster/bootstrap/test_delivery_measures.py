from prometheus_client import REGISTRY

from doorbuster.bootstrap.delivery_measures import DeliveryMeasures
from doorbuster.deliveries.model import DeliveryStatus
from doorbuster.infra.telemetry import DELIVERIES


def test_every_result_is_shown_before_the_first_attempt_and_counted_then() -> None:
    DELIVERIES.clear()
    measures = DeliveryMeasures()
    before = results()
    for outcome in DeliveryStatus:
        measures.attempted(outcome)

    assert before == {"failed": 0, "delivered": 0, "parked": 0}
    assert results() == {"failed": 1, "delivered": 1, "parked": 1}


def results() -> dict[str, float | None]:
    names = ("failed", "delivered", "parked")
    return {name: REGISTRY.get_sample_value("deliveries_total", {"result": name}) for name in names}
