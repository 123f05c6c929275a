"""Looks at everything, page by page."""

from collections.abc import Sequence
from datetime import datetime

from doorbuster.audit import checks, statements
from doorbuster.audit.checks import Check, utc
from doorbuster.audit.model import MOST_KEPT, Findings, Waiting
from doorbuster.audit.snapshot import Snapshot, naive
from doorbuster.audit.sum_checks import half_processed, unissued, unpublished
from doorbuster.audit.sums import SALES, STOCK, compare_all

CHECKS: Sequence[Check] = (
    checks.ORDERS,
    *checks.PARTS,
    checks.PAYMENTS,
    checks.MOVEMENTS,
    checks.BALANCES,
    checks.ENTRIES_WITHOUT_BALANCE,
    checks.KEYS,
    checks.COUPONS,
    checks.REDEMPTIONS,
    checks.ISSUES,
)


async def scan_everything(snapshot: Snapshot) -> Findings:
    """Return what breaks an invariant anywhere; the transactions sum to zero one by one, so all accounts do together.

    Raises:
        PrimaryUnavailable: the database went away, or a statement took too long.
    """
    findings = Findings()
    for check in CHECKS:
        async for scope in snapshot.pages(check.walk):
            findings.looked_at[check.walk.name] += scope.rows
            findings.add(await snapshot.check(check, scope))
    await compare_all(snapshot, STOCK, findings)
    await compare_all(snapshot, SALES, findings)
    await look_at_accepted_issues(snapshot, findings)
    await look_at_messages(snapshot, findings)
    return findings


async def look_at_accepted_issues(snapshot: Snapshot, findings: Findings) -> None:
    """Look at the issues that wait to become ISSUED."""
    now = snapshot.moment.now
    before = naive(now - snapshot.moment.limits.final)
    for issue_id, created_at in await snapshot.ask(statements.LONG_ACCEPTED, before=before, most=MOST_KEPT):
        age = now - (utc(created_at) or now)
        findings.add([unissued(bytes(issue_id), seconds=age.total_seconds())])
    ((waiting,),) = await snapshot.ask(statements.LATELY_ACCEPTED, before=before)
    findings.waiting[Waiting.UNISSUED] += waiting


async def look_at_messages(snapshot: Snapshot, findings: Findings) -> None:
    """Look at what waits in the outbox, and for marks that no committed row has."""
    now = snapshot.moment.now
    before = naive(now - snapshot.moment.limits.published)
    for seq, topic, created_at in await snapshot.ask(statements.OLD_MESSAGES, before=before, most=MOST_KEPT):
        age = now - (utc(created_at) or now)
        findings.add([unpublished(seq, topic=topic, seconds=age.total_seconds())])
    for group, message_id in await snapshot.ask(statements.HALF_PROCESSED, most=MOST_KEPT):
        findings.add([half_processed(bytes(message_id), group=group)])
    ((waiting,),) = await snapshot.ask(statements.WAITING_MESSAGES, before=before)
    findings.waiting[Waiting.UNPUBLISHED] += waiting


async def oldest_uncounted(snapshot: Snapshot) -> datetime:
    """Return when the first PAID order finished that the sales lack; the snapshot's moment if they lack none."""
    oldest = snapshot.moment.now
    async for scope in snapshot.pages(checks.ORDERS.walk):
        for (finished_at,) in await snapshot.rows(statements.OLDEST_UNCOUNTED, scope, column="o.id"):
            oldest = min(oldest, utc(finished_at) or oldest)
    return oldest
