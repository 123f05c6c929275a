"""Which faults are on, and that everybody can see it."""

import pytest
from prometheus_client import REGISTRY

from doorbuster.infra.faults.switches import Fault, show_faults, switched_on
from doorbuster.settings import FaultSettings, Settings


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("DELAY_PER_RECORD", "120ms", Fault.DELAY_PER_RECORD),
        ("ERROR_RATE", "0.25", Fault.ERROR_RATE),
        ("STUCK_PARTITION", "order-created/3", Fault.STUCK_PARTITION),
        ("SLOW_QUERY", "300ms", Fault.SLOW_QUERY),
        ("POISON", "true", Fault.POISON),
    ],
)
def test_each_variable_switches_on_its_fault(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, fault: Fault
) -> None:
    monkeypatch.setenv(f"DOORBUSTER_FAULTS__{variable}", value)

    assert switched_on(Settings().faults) == (fault,)


def test_without_a_word_none_is_on() -> None:
    assert switched_on(FaultSettings()) == ()


def test_every_fault_is_shown_whether_it_is_on_or_off() -> None:
    show_faults([Fault.SLOW_QUERY])
    values = {fault: REGISTRY.get_sample_value("fault_active", {"fault": fault.value}) for fault in Fault}
    show_faults([])

    assert values == {fault: float(fault is Fault.SLOW_QUERY) for fault in Fault}
    assert REGISTRY.get_sample_value("fault_active", {"fault": "slow-query"}) == 0
