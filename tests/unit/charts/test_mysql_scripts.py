"""MySQL's entry scripts, as far as they run without a server."""

import re
import subprocess

import pytest

from tests.integration.mysql.deployment import pod_environment
from tests.unit.charts.rendering import DATA

SCRIPTS = DATA / "files" / "mysql"
STATEFULSET = DATA / "templates" / "mysql" / "statefulset.yaml"
SOURCED = "source ./settings.sh; source ./sql.sh; source ./volume.sh; source ./configure.sh; source ./facts.sh"
MEMBERS = "data-mysql-0.svc data-mysql-1.svc data-mysql-2.svc"


def in_bash(commands: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run commands with all functions of the scripts, as ordinal 1 of three."""
    environment = {**pod_environment("data-mysql-1", MEMBERS), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{SOURCED}\n{commands}"],
        capture_output=True, text=True, check=check, timeout=30, cwd=SCRIPTS, env=environment,
    )  # fmt: skip


def options() -> dict[str, list[str]]:
    """The server's options with all values that each gets."""
    found: dict[str, list[str]] = {}
    for line in in_bash("server_options").stdout.splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_chart_sets_what_the_scripts_read_and_the_integration_tests_set_the_same() -> None:
    scripts = "".join(path.read_text() for path in SCRIPTS.glob("*.sh"))
    read = set(re.findall(r"\$\{?((?:POD|MYSQL)_[A-Z_]+)", scripts))
    rendered = set(re.findall(r"- name: ([A-Z_]+)$", STATEFULSET.read_text(), flags=re.MULTILINE))

    assert read == rendered
    assert set(pod_environment("mysql-0", "mysql-0")) == rendered


def test_no_option_is_given_twice_but_the_plugins() -> None:
    repeated = {name for name, values in options().items() if len(values) > 1}

    assert repeated == {"plugin-load-add"}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sync-binlog", "1"),
        ("innodb-flush-log-at-trx-commit", "1"),
        ("transaction-isolation", "READ-COMMITTED"),
        ("gtid-mode", "ON"),
        ("super-read-only", "ON"),
        ("offline-mode", "ON"),
        ("innodb-lock-wait-timeout", "1"),
        ("default-time-zone", "+00:00"),
        ("group-replication-start-on-boot", "OFF"),
        ("group-replication-consistency", "BEFORE_ON_PRIMARY_FAILOVER"),
        ("group-replication-exit-state-action", "OFFLINE_MODE"),
        ("group-replication-unreachable-majority-timeout", "10"),
        ("group-replication-autorejoin-tries", "3"),
        ("group-replication-member-expel-timeout", "20"),
        ("group-replication-transaction-size-limit", "20971520"),
        ("group-replication-recovery-get-public-key", "ON"),
    ],
)
def test_the_options_that_keep_the_promise_are_set(option: str, value: str) -> None:
    assert options()[option] == [value]


def test_each_member_has_an_address_and_a_number_of_its_own() -> None:
    found = options()

    assert found["server-id"] == ["101"]
    assert found["report-host"] == ["data-mysql-1.svc"]
    assert found["group-replication-local-address"] == ["data-mysql-1.svc:33061"]
    assert found["group-replication-group-seeds"] == [
        "data-mysql-0.svc:33061,data-mysql-1.svc:33061,data-mysql-2.svc:33061"
    ]


def test_a_machine_that_lets_open_20000_files_is_enough() -> None:
    assert int(options()["open-files-limit"][0]) < 20_000


@pytest.mark.parametrize("password", ["", "it's", 'say "x"', "back\\slash", "two words", "x" * 33, "naïve"])
def test_a_password_that_would_need_quoting_is_refused_with_a_reason(password: str) -> None:
    quoted = "'" + password.replace("'", "'\\''") + "'"
    answer = in_bash(f"password_of() {{ printf %s {quoted}; }}\ncheck_passwords", check=False)

    assert answer.returncode == 1
    assert "the Secret's root-password needs 1 to 32 characters of letters, digits and" in answer.stderr


def test_passwords_of_every_allowed_kind_are_taken() -> None:
    in_bash("password_of() { printf %s 'aZ09._~+/=@%^-'; }\ncheck_passwords")


def replaced(volumes: str) -> str:
    """What a member with this table says of three volumes: `a` and `b` are there, ordinal 2 doesn't answer."""
    facts = f'FACTS=("a outside - {volumes}" "b outside - -" "")'
    return in_bash(f"{facts}\nreplaced_volumes 0").stdout.strip()


def test_a_member_without_a_table_misses_no_volume() -> None:
    assert replaced("-") == "-"


def test_the_volumes_that_were_in_the_group_are_known_again() -> None:
    assert replaced("0=a,1=b") == "-"


def test_another_volume_in_the_place_of_one_that_was_in_the_group_is_noticed() -> None:
    assert replaced("0=a,1=c") == "1"


def test_volumes_of_a_larger_group_are_missed() -> None:
    # Three members' volumes with the values of size small: ordinals 2 and 3 have no pod any more.
    assert replaced("0=a,1=b,2=c,3=d") == "2+3"


def compared(*transactions: str) -> list[str]:
    """Which ordinals' transactions each member has, by a stand-in that knows sets of letters."""
    facts = " ".join(f"'{f'uuid outside {found} -' if found else ''}'" for found in transactions)
    # The statements are turned into arithmetic of the shell: a set contains another if removing it leaves nothing.
    stand_in = r"""
as_probe_here() {
  local statement pair subset superset ordinal line
  while read -r statement; do
    line=''
    while [[ $statement =~ GTID_SUBSET\(\'([^\']*)\',\ \'([^\']*)\'\),\ ([0-9]) ]]; do
      subset=${BASH_REMATCH[1]} superset=${BASH_REMATCH[2]} ordinal=${BASH_REMATCH[3]}
      statement=${statement#*"${BASH_REMATCH[0]}"}
      [[ -n ${subset//[${superset:-_}]/} ]] || line+=$ordinal
    done
    echo "$line"
  done
}
"""
    return in_bash(
        f'{stand_in}\nFACTS=({facts})\ncompare_transactions\nprintf "%s\\n" "${{HAS[@]}}"'
    ).stdout.splitlines()


def test_each_member_has_its_own_and_every_smaller_set_of_transactions() -> None:
    assert compared("ab", "abc", "a") == ["02", "012", "2"]


def test_new_volumes_have_everything_that_the_other_new_ones_have() -> None:
    assert compared("-", "-", "-") == ["012", "012", "012"]


def test_of_a_member_that_does_not_answer_nothing_is_known() -> None:
    assert compared("a", "ab", "") == ["0", "01", ""]
