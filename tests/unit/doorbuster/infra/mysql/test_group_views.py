import pytest

from doorbuster.infra.mysql.group_views import Backlog, Member, View, is_decided, may_serve_reads, primary_host

HOSTS = ("data-mysql-0.data-mysql", "data-mysql-1.data-mysql", "data-mysql-2.data-mysql")
# What a server answers that has the plugin and is in no group.
OUTSIDE = Member(host="", state="OFFLINE", role="", own=False)


def view(asked: int, rows: str, hosts: tuple[str, ...] = HOSTS) -> View:
    """A view from words like `PRIMARY SECONDARY UNREACHABLE`: one for each member, a role or else a state."""
    members = [
        Member(
            host=hosts[ordinal],
            state="ONLINE" if word in {"PRIMARY", "SECONDARY"} else word.partition(":")[0],
            role=word.partition(":")[2] or (word if word == "PRIMARY" else "SECONDARY"),
            own=ordinal == asked,
        )
        for ordinal, word in enumerate(rows.split())
    ]
    return View(asked=hosts[asked], members=members)


HEALTHY = "PRIMARY SECONDARY SECONDARY"


def test_all_members_agree() -> None:
    assert primary_host([view(number, HEALTHY) for number in range(3)], hosts=HOSTS) == HOSTS[0]


def test_nobody_answers() -> None:
    assert primary_host([], hosts=HOSTS) is None


def test_one_answer_of_a_secondary_is_enough_to_know() -> None:
    assert primary_host([view(2, HEALTHY)], hosts=HOSTS) == HOSTS[0]


@pytest.mark.parametrize("state", ["RECOVERING", "ERROR", "OFFLINE"])
def test_a_member_that_does_not_serve_is_not_believed(state: str) -> None:
    assert primary_host([view(1, f"PRIMARY {state} SECONDARY")], hosts=HOSTS) is None


def test_a_primary_without_a_majority_is_not_believed() -> None:
    assert primary_host([view(0, "PRIMARY UNREACHABLE UNREACHABLE")], hosts=HOSTS) is None


def test_a_primary_that_misses_one_of_three_is_believed() -> None:
    assert primary_host([view(0, "PRIMARY SECONDARY UNREACHABLE")], hosts=HOSTS) == HOSTS[0]


@pytest.mark.parametrize("state", ["UNREACHABLE:PRIMARY", "ERROR:PRIMARY", "RECOVERING:PRIMARY"])
def test_a_primary_that_is_not_online_is_none(state: str) -> None:
    assert primary_host([view(1, f"{state} SECONDARY SECONDARY")], hosts=HOSTS) is None


def test_a_former_primary_that_was_left_behind_is_outvoted() -> None:
    views = [view(0, HEALTHY), view(1, "OFFLINE PRIMARY SECONDARY"), view(2, "OFFLINE PRIMARY SECONDARY")]

    assert primary_host(views, hosts=HOSTS) == HOSTS[1]


def test_a_member_outside_does_not_count_against_one_that_serves() -> None:
    outside = View(asked=HOSTS[0], members=[OUTSIDE])

    assert primary_host([outside, view(1, "OFFLINE PRIMARY SECONDARY")], hosts=HOSTS) == HOSTS[1]


def test_of_two_words_that_of_the_primary_itself_counts_more() -> None:
    views = [view(1, HEALTHY), view(2, "OFFLINE SECONDARY PRIMARY")]

    assert primary_host(views, hosts=HOSTS) == HOSTS[2]


def test_several_servers_without_a_group_have_no_primary() -> None:
    views = [View(asked=host, members=[OUTSIDE]) for host in HOSTS]

    assert primary_host(views, hosts=HOSTS) is None


@pytest.mark.parametrize("members", [[], [OUTSIDE]])
def test_a_single_server_without_a_group_is_its_own_primary(members: list[Member]) -> None:
    assert primary_host([View(asked="managed", members=members)], hosts=["managed"]) == "managed"


def test_a_single_server_that_is_not_ready_in_its_group_is_no_primary() -> None:
    recovering = Member(host="mysql-0", state="RECOVERING", role="PRIMARY", own=True)

    assert primary_host([View(asked="mysql-0", members=[recovering])], hosts=["mysql-0"]) is None


def test_a_primary_is_called_by_the_name_that_it_was_asked_under() -> None:
    answer = View(asked="10.0.0.7", members=view(0, HEALTHY).members)

    assert primary_host([answer], hosts=["10.0.0.7", "10.0.0.8"]) == "10.0.0.7"


@pytest.mark.parametrize(
    "configured", ["data-mysql-0.data-mysql", "data-mysql-0.data-mysql.shop.svc.cluster.local", "data-mysql-0"]
)
def test_a_primary_that_did_not_answer_is_called_by_its_configured_name(configured: str) -> None:
    assert primary_host([view(1, HEALTHY)], hosts=["data-mysql-1.data-mysql", configured]) == configured


def test_a_name_that_only_begins_the_same_is_another() -> None:
    assert primary_host([view(1, HEALTHY)], hosts=["data-mysql-1", "data-mysql-00"]) == HOSTS[0]


def test_it_is_decided_when_most_hosts_name_a_primary_that_has_answered() -> None:
    assert is_decided([view(0, HEALTHY), view(2, HEALTHY)], hosts=HOSTS)
    assert not is_decided([view(0, HEALTHY)], hosts=HOSTS)
    assert not is_decided([view(1, HEALTHY), view(2, HEALTHY)], hosts=HOSTS)
    assert is_decided([View(asked="managed", members=[])], hosts=["managed"])


CURRENT = Backlog(waiting=0, oldest_seconds=None)


@pytest.mark.parametrize(
    ("asked", "rows", "fit"),
    [
        (1, HEALTHY, True),
        (0, HEALTHY, False),
        (1, "PRIMARY RECOVERING SECONDARY", False),
        (1, "UNREACHABLE:PRIMARY SECONDARY SECONDARY", True),
        (1, "UNREACHABLE:PRIMARY SECONDARY UNREACHABLE", False),
    ],
)
def test_only_an_online_secondary_in_the_majority_serves_reads(asked: int, rows: str, *, fit: bool) -> None:
    assert may_serve_reads(view(asked, rows), CURRENT) is fit


@pytest.mark.parametrize(
    ("waiting", "oldest_seconds", "fit"),
    [(0, None, True), (0, 3600.0, True), (5, 0.4, True), (5, 1.0, True), (5, 1.1, False), (5, None, False)],
)
def test_a_secondary_that_is_behind_by_more_than_a_second_serves_no_reads(
    waiting: int, oldest_seconds: float | None, *, fit: bool
) -> None:
    backlog = Backlog(waiting=waiting, oldest_seconds=oldest_seconds)

    assert may_serve_reads(view(1, HEALTHY), backlog) is fit
