"""The worlds that the tests run, and what they want of them."""

from doorbuster_operator.model.spec import ScalerSpec
from tests.unit.doorbuster_operator.simulation.closed_loop import SPEC
from tests.unit.doorbuster_operator.simulation.consumer import Cost

# The documents' consumer: a message takes 30 ms, 33 are done in a second.
DOCUMENTS = Cost(per_record=1 / 33, limit=16)
# A fault delay of 122 ms a record; batches end at half a second of it (P19).
DELAYED = Cost(per_record=0.122, limit=4)
# Almost nothing but the batch costs, so it looks busy at any load (P18).
BATCHED = Cost(fixed=0.010, per_record=0.000_05, limit=500, rest=0.0)


def wanted(**changes: object) -> ScalerSpec:
    return ScalerSpec.model_validate(SPEC.model_dump() | changes)
