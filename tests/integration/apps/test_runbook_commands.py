"""What runbooks tell a person to type at Kafka and MySQL, typed at real ones."""

import re
import shlex
from collections.abc import Iterator

import pytest

from doorbuster.contracts.topics import Group
from doorbuster.settings import Settings
from doorbuster_cluster.settings import REPOSITORY
from tests.integration.apps.servers import Servers

pytestmark = pytest.mark.integration

PAGES = sorted((REPOSITORY / "runbooks").glob("*/*.md"))
# In seconds; the page waits for longer.
FEW_SECONDS = "2000"


def kafka_commands() -> set[str]:
    """Return every distinct use of Kafka's tools, continued lines joined."""
    text = "\n".join(page.read_text() for page in PAGES).replace("\\\n", " ")
    return {" ".join(words.split()) for words in re.findall(r"^ *kafka (.+)$", text, re.MULTILINE)}


def questions_to_mysql() -> Iterator[str]:
    """Yield every statement that only reads."""
    for page in PAGES:
        for _, statement in re.findall(r"at_mysql \S+ <<<(['\"])(SELECT .+?)\1$", page.read_text(), re.MULTILINE):
            yield statement


@pytest.mark.parametrize("command", sorted(kafka_commands()))
def test_kafkas_tools_take_what_runbooks_type(servers: Servers, topics: frozenset[str], command: str) -> None:
    tool, *arguments = shlex.split(re.sub(r"(?<=--timeout-ms )\d+", FEW_SECONDS, command))
    pod = servers.kafka.pods[0]
    assert topics
    line = shlex.join(
        ["java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-cp", "/opt/kafka/libs/*", f"org.apache.kafka.tools.{tool}",
         "--bootstrap-server", f"{pod.address}:9092", *arguments]
    )  # fmt: skip
    answer = pod.execute("kafka", "bash", "-c", f"{line} 2>&1 || true")

    unknown = ("is not a recognized option", "Could not find or load", "Missing required argument", "Exception in")
    assert [phrase for phrase in unknown if phrase in answer] == [], answer
    # The group has never been there, or not for long, which is all that the tool may say against it.
    absent = (f"'{Group.STOCK}' does not exist", f"Group {Group.STOCK} not found", "TimeoutException")
    assert "Error" not in answer or any(phrase in answer for phrase in absent), answer


@pytest.mark.parametrize("statement", sorted(set(questions_to_mysql())))
def test_mysql_understands_what_runbooks_ask(servers: Servers, migrated: Settings, statement: str) -> None:
    assert migrated.mysql.database == "doorbuster"

    servers.mysql.administer(0, statement)
