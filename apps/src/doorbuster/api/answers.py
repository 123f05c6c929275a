"""What commands are answered: bytes that are stored with the key and given again to every repeat (R1).

An answer carries the id that was minted for its command, so a repeat is known by an id that isn't its own.
"""

from uuid import UUID

from doorbuster.api.errors import invalid
from doorbuster.api.order_documents import line_documents
from doorbuster.api.order_schemas import CancellationDocument
from doorbuster.api.problems import Code, FieldError, Problem, problem_body
from doorbuster.api.schemas import AcceptedOrder, ChargedDocument
from doorbuster.carts.model import EMPTY
from doorbuster.infra.batches.answers import Answer, Refused
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders.cancelling import CancelOrder, CancelOutcome
from doorbuster.orders.model import Order, OrderStatus, PlaceOrder
from doorbuster.points.model import Charged, ChargePoints


def order_answer(command: PlaceOrder, outcome: Order | Refusal) -> Answer | Refused:
    """Return the answer to an order."""
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome, command.order_id)
    document = AcceptedOrder(
        id=outcome.id,
        status="PENDING",
        total=outcome.total,
        coupon_id=outcome.coupon_id,
        lines=line_documents(outcome.lines),
        created_at=outcome.created_at,
    )
    return Answer(status=202, body=document.model_dump_json().encode())


def charge_answer(command: ChargePoints, outcome: Charged | Refusal) -> Answer | Refused:
    """Return the answer to a charge."""
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome, command.transaction_id)
    document = ChargedDocument(id=outcome.transaction_id, balance=outcome.balance)
    return Answer(status=201, body=document.model_dump_json().encode())


def cancel_answer(command: CancelOrder, outcome: CancelOutcome) -> Answer | Refused:
    """Return the answer to a cancel: 202 while the order is PENDING, because its payment is still to answer."""
    if outcome is None:
        problem = Problem(status=404, code=Code.NOT_FOUND, detail="You have no such order.")
        return Refused(status=404, body=problem_body(problem, instance=None))
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome, command.cancellation_id)
    failed = outcome.status is OrderStatus.FAILED
    document = CancellationDocument(
        id=command.cancellation_id,
        order_id=outcome.id,
        status="FAILED" if failed else "PENDING",
        failure_reason=outcome.failure_reason,
    )
    return Answer(status=200 if failed else 202, body=document.model_dump_json().encode())


def refusal_answer(refusal: Refusal, minted: UUID) -> Answer | Refused:
    """Return what a refused command is answered.

    A wrong field is the client's to mend: 422, not stored. All else is a business answer: 409, stored, but for what the
    client changes by another request. A stored one's instance is the command's id, because the trace of a repeat would
    be another one.
    """
    if refusal.field is not None:
        errors = [FieldError(field=refusal.field, message=refusal.detail)]
        return Refused(status=422, body=problem_body(invalid(errors, code=refusal.code), instance=None))
    problem = Problem(status=409, code=refusal.code, detail=refusal.detail)
    if refusal == EMPTY:
        # A line that is put into the cart changes it, and the order that follows is what the key was meant for.
        return Refused(status=409, body=problem_body(problem, instance=None))
    return Answer(status=409, body=problem_body(problem, instance=minted.urn))


def sold_out_answer(refusal: Refusal) -> Refused:
    """Return what is told before anything is written: 409, naming the line, and not stored (R4)."""
    errors = () if refusal.field is None else (FieldError(field=refusal.field, message="is sold out"),)
    problem = Problem(status=409, code=refusal.code, detail=refusal.detail, errors=errors)
    return Refused(status=409, body=problem_body(problem, instance=None))


def is_replay(answer: Answer, minted: UUID) -> bool:
    """Tell whether the answer was made for an earlier command than the one that the id was minted for."""
    return str(minted).encode() not in answer.body
