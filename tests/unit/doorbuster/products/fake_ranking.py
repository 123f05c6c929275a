"""A ranking in memory."""

from collections.abc import Sequence

from doorbuster.kernel.ids import ProductId
from doorbuster.products.ranking import BestSeller, SoldUnits, best


class FakeRanking:
    """Keeps the promises of Ranking.

    Attributes:
        away: nobody answers.
        asked: how many questions came.
    """

    def __init__(self) -> None:
        self._counts: dict[ProductId, SoldUnits] = {}
        self.away = False
        self.asked = 0

    async def note(self, counts: Sequence[SoldUnits]) -> None:
        self._ask()
        if self._counts:
            self._take(counts)

    async def renew(self, counts: Sequence[SoldUnits]) -> None:
        self._ask()
        self._take(counts)

    async def best(self, limit: int) -> Sequence[BestSeller]:
        self._ask()
        return [
            BestSeller(product_id=each.product_id, units=each.units) for each in best(self._counts.values())[:limit]
        ]

    def lose(self) -> None:
        self._counts.clear()

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise ConnectionResetError

    def _take(self, counts: Sequence[SoldUnits]) -> None:
        for count in best(counts):
            known = self._counts.get(count.product_id)
            if known is None or known.version <= count.version:
                self._counts[count.product_id] = count
        self._counts = {each.product_id: each for each in best(self._counts.values())}
