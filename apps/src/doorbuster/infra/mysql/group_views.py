"""What the members of the MySQL group say about it, and what follows from that: pure (R5, R18)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ONLINE = "ONLINE"
OFFLINE = "OFFLINE"
UNREACHABLE = "UNREACHABLE"
PRIMARY = "PRIMARY"
SECONDARY = "SECONDARY"

# R5: what a catalogue read may be behind.
MOST_SECONDS_BEHIND = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One row of `performance_schema.replication_group_members`."""

    host: str
    """The name under which the other members reach it; empty on a server that was never in a group."""
    state: str
    role: str
    own: bool
    """Whether this is the member that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one server answered."""

    asked: str
    """The configured host that it was asked under."""
    members: Sequence[Member]

    @property
    def own(self) -> Member | None:
        """The row of the member that was asked; None when it is in no group."""
        return next((member for member in self.members if member.own and member.host), None)

    @property
    def credible(self) -> bool:
        """Whether the member serves in the group and sees most of it: only then it can't be left behind unknowingly."""
        unreachable = sum(member.state == UNREACHABLE for member in self.members)
        return self.own is not None and self.own.state == ONLINE and unreachable * 2 < len(self.members)

    @property
    def primary(self) -> Member | None:
        """The primary that it names; None when it knows none that is ONLINE."""
        return next((row for row in self.members if row.state == ONLINE and row.role == PRIMARY), None)

    @property
    def outside(self) -> bool:
        """Whether the server is in no group at all."""
        return all(member.host == "" or member.state == OFFLINE for member in self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How far a secondary is behind."""

    waiting: int
    """Transactions that it has received and not applied."""
    oldest_seconds: float | None
    """The age of the oldest one it applies, or else of the last one it applied; None when neither is known."""

    @property
    def small(self) -> bool:
        """Whether it has applied within a second."""
        if self.waiting == 0:
            return True
        return self.oldest_seconds is not None and self.oldest_seconds <= MOST_SECONDS_BEHIND


def primary_host(views: Sequence[View], *, hosts: Sequence[str]) -> str | None:
    """Return the host to connect to for writing; None when nobody knows a primary.

    Most credible votes win. When they are equal the word of the primary itself counts more, then the order of the
    hosts. A server that is in no group is its own primary, but only as the one host that is configured: of several
    such servers each could have clients of its own.

    Args:
        views: the answers so far; who didn't answer is missing.
        hosts: all configured hosts.
    """
    if len(hosts) == 1 and views and views[0].outside:
        return views[0].asked
    votes = _votes(views)
    if not votes:
        return None
    itself = {view.own.host for view in views if view.credible and view.own == view.primary and view.own is not None}
    order = list(votes)
    winner = max(order, key=lambda host: (votes[host], host in itself, -order.index(host)))
    return _reachable_name(winner, views=views, hosts=hosts)


def is_decided(views: Sequence[View], *, hosts: Sequence[str]) -> bool:
    """Tell whether no further answer can change the primary or the name to reach it by."""
    if len(hosts) == 1 and views:
        return True
    votes = _votes(views)
    named = {view.own.host for view in views if view.own is not None}
    return any(count * 2 > len(hosts) and host in named for host, count in votes.items())


def may_serve_reads(view: View, backlog: Backlog) -> bool:
    """Tell whether a member is fit for catalogue reads (R5): an ONLINE secondary, in the majority, and current."""
    return view.credible and view.own is not None and view.own.role == SECONDARY and backlog.small


def _votes(views: Iterable[View]) -> Counter[str]:
    return Counter(view.primary.host for view in views if view.credible and view.primary is not None)


def _reachable_name(host: str, *, views: Sequence[View], hosts: Sequence[str]) -> str:
    # The name under which it answered is the best one. Members know each other by short names of the cluster
    # (`data-mysql-0.data-mysql`); a configured name may be longer or shorter by whole labels.
    for view in views:
        if view.own is not None and view.own.host == host:
            return view.asked
    for configured in hosts:
        if f"{configured}.".startswith(f"{host}.") or f"{host}.".startswith(f"{configured}."):
            return configured
    return host
