import pytest

from tests.unit.doorbuster.coupons.fake_gate import FakeGate
from tests.unit.doorbuster.coupons.gate_contract import GateContract


class TestFakeGate(GateContract):
    @pytest.fixture
    def gate(self) -> FakeGate:
        return FakeGate()
