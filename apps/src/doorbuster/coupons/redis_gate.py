"""The gate in Redis: every step is one script, so a batch of users costs one round trip (R16)."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from redis.asyncio import Redis
from redis.exceptions import RedisError

from doorbuster.coupons import gate_scripts
from doorbuster.coupons.coupon import Coupon
from doorbuster.coupons.issue_ports import (
    MOST_OLD_CLAIMS,
    Admission,
    Asked,
    Claim,
    GateState,
    GateUnavailable,
    GateView,
    OldClaim,
)
from doorbuster.kernel.ids import CouponId, UserId

# Longest time of a call, with a new connection: a batch waits for it.
CALL_SECONDS = 0.3
# What one script may do; Redis does nothing else meanwhile.
MOST_USERS = 1_000
# Who has the coupon may ask again after its end; then MySQL answers.
KEPT = timedelta(days=1)

_Word: TypeAlias = bytes | str | int


class RedisGate:
    """Coupons' gates; connects when it's used."""

    def __init__(self, client: Redis, *, call_seconds: float = CALL_SECONDS) -> None:
        """Use the client, which stays its owner's."""
        self._client = client
        self._call_seconds = call_seconds

    # In front of the database

    async def claim(self, asked: Sequence[Asked]) -> Mapping[CouponId, Admission]:
        """Return for each coupon what the gate says, by one call for each thousand users."""
        admissions: dict[CouponId, Admission] = {}
        for part in _parts(asked):
            answer = iter(_words(await self._run(gate_scripts.CLAIM, _keys(part), _arguments(part))))
            for each in part:
                admission = _admission(each, answer)
                earlier = admissions.get(each.coupon_id)
                claims = admission.claims if earlier is None else {**earlier.claims, **admission.claims}
                admissions[each.coupon_id] = Admission(state=admission.state, claims=claims)
        return admissions

    async def release(self, asked: Sequence[Asked]) -> None:
        """Take back the claims of these users, but of none whose row was seen; of another epoch there are none."""
        for part in _parts(asked):
            await self._run(gate_scripts.RELEASE, _keys(part), _arguments(part))

    # Behind it

    async def view(self, coupon_ids: Sequence[CouponId], *, older_than_seconds: float) -> Mapping[CouponId, GateView]:
        """Return every coupon's gate, with the claims that are older and not confirmed."""
        keys = [key for coupon_id in coupon_ids for key in _keys_of(coupon_id)]
        answer = await self._run(gate_scripts.VIEW, keys, [int(older_than_seconds * 1000), MOST_OLD_CLAIMS])
        return dict(zip(coupon_ids, _views(answer), strict=True))

    async def confirm(self, coupon_id: CouponId, epoch: int, user_ids: Collection[UserId]) -> bool:
        """Count these users, who have their rows; False if the gate is of another epoch by now."""
        return await self._run(gate_scripts.CONFIRM, _keys_of(coupon_id), [epoch, *user_ids]) == 1

    async def release_old(self, coupon_id: CouponId, epoch: int, claims: Sequence[OldClaim]) -> int:
        """Take back the claims that are still the same; return how many that were."""
        marked = [word for claim in claims for word in (claim.user_id, claim.mark)]
        return _number(await self._run(gate_scripts.RELEASE_OLD, _keys_of(coupon_id), [epoch, *marked]))

    async def begin(self, coupon: Coupon) -> bool:
        """Replace the gate by an empty one that is loading, of the coupon's epoch; False if a later one is there."""
        until = _milliseconds(coupon.valid_until + KEPT)
        words = [coupon.epoch, coupon.total, until]
        return await self._run(gate_scripts.BEGIN, _keys_of(coupon.id), words) == 1

    async def open(self, coupon_id: CouponId, epoch: int) -> bool:
        """Let the gate decide from now on; False if it is of another epoch by now."""
        return await self._run(gate_scripts.OPEN, _keys_of(coupon_id)[:1], [epoch]) == 1

    async def _run(self, script: str, keys: Sequence[str], words: Sequence[_Word]) -> object:
        """Return what a script returns.

        Raises:
            GateUnavailable: no answer in time, or an error.
        """
        try:
            async with asyncio.timeout(self._call_seconds):
                return await self._client.register_script(script)(keys=keys, args=words)
        except (RedisError, OSError) as exc:
            # Also a time-out, which is an OSError, and a key that somebody wrote something else into.
            raise GateUnavailable(f"the gate said {type(exc).__name__}") from exc


def _keys_of(coupon_id: CouponId) -> tuple[str, str]:
    gate = f"coupon-gate:{{{coupon_id}}}"
    return gate, f"{gate}:users"


def _keys(part: Sequence[Asked]) -> Sequence[str]:
    return [key for each in part for key in _keys_of(each.coupon_id)]


def _arguments(part: Sequence[Asked]) -> Sequence[_Word]:
    return [word for each in part for word in (each.epoch, len(each.user_ids), *each.user_ids)]


def _parts(asked: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    """Yield what is asked in parts that a script may work on, in order; a coupon may be in two of them."""
    part: list[Asked] = []
    room = MOST_USERS
    for each in asked:
        users = each.user_ids
        while users:
            taken, users = users[:room], users[room:]
            part.append(Asked(coupon_id=each.coupon_id, epoch=each.epoch, user_ids=taken))
            room -= len(taken)
            if not room:
                yield part
                part, room = [], MOST_USERS
    if part:
        yield part


def _admission(asked: Asked, answer: Iterator[str]) -> Admission:
    try:
        state = GateState(next(answer))
        claims = {user_id: Claim(next(answer)) for user_id in asked.user_ids} if state is GateState.OPEN else {}
    except (StopIteration, ValueError) as exc:
        # What can't be read is no answer (R6).
        raise GateUnavailable("the gate's answer isn't one") from exc
    return Admission(state=state, claims=claims)


def _views(answer: object) -> Sequence[GateView]:
    try:
        return [_view(_words(row[:4]), row[4:]) for row in answer]  # type: ignore[attr-defined]  # else it isn't one
    except (TypeError, ValueError, AttributeError, IndexError) as exc:
        raise GateUnavailable("the gate's answer isn't one") from exc


def _view(words: Sequence[str], rest: Sequence[object]) -> GateView:
    epoch, state, total, milliseconds = words
    claims, confirmed, old = rest
    pairs = _words(old)
    return GateView(
        epoch=int(epoch) if epoch else None,
        loading_seconds=int(milliseconds) / 1000 if state == "loading" else None,
        total=int(total) if total else None,
        claims=_number(claims),
        confirmed=_number(confirmed),
        old=tuple(
            OldClaim(user_id=UserId(int(user_id)), mark=int(mark))
            for user_id, mark in zip(pairs[::2], pairs[1::2], strict=True)
        ),
    )


def _words(answer: object) -> Sequence[str]:
    if not isinstance(answer, list):
        raise GateUnavailable("the gate's answer isn't one")
    return [word.decode() if isinstance(word, bytes) else str(word) for word in answer]


def _number(answer: object) -> int:
    if not isinstance(answer, int):
        raise GateUnavailable("the gate's answer isn't one")
    return answer


def _milliseconds(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
