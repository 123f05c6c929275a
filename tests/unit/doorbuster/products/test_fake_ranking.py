import pytest

from tests.unit.doorbuster.products.fake_ranking import FakeRanking
from tests.unit.doorbuster.products.ranking_contract import RankingContract


class TestFakeRanking(RankingContract):
    @pytest.fixture
    def ranking(self) -> FakeRanking:
        return FakeRanking()
