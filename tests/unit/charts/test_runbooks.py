"""Every runbook has its form, and names only what is there: Deployments, pods, topics, groups, metrics, other pages."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from doorbuster.contracts.topics import READ_BY, Topic, dead_letter_topic
from doorbuster_cluster.settings import REPOSITORY
from tests.metric_names import PROMETHEUS_OWN, alert_rules, asked, registered
from tests.unit.charts.rendering import APPS, DATA, OBSERVABILITY, OPERATOR, Manifest, rendered

FOLDER = REPOSITORY / "runbooks"
README = FOLDER / "README.md"
PAGES = sorted(FOLDER.glob("*/*.md"))
RULES = {rule["alert"]: rule for rule in alert_rules()}
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Verification", "Escalation"]

FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Names of ours wherever they stand, in prose too.
OURS = re.compile(r"(?<![\w-])(?:apps|data|observability)-[a-z][a-z0-9-]*[a-z0-9]\b")
COMPONENT = re.compile(r"\bapp\.kubernetes\.io/component=([a-z-]+)")
QUERY = re.compile(r"\bask '([^']+)'")
PROBLEMS = re.compile(r"\bproblems ([a-z-]+)")
GROUP = re.compile(r"\b[a-z-]+-group\b")
TOPIC = re.compile(r'(?:--topic |topic=")([a-z-]+(?:\.dlt)?)')
# Each chart with a set of values under which everything is there.
CHARTS = ((APPS, "local"), (DATA, "ha"), (OBSERVABILITY, "local"), (OPERATOR, "local"))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
each_text = pytest.mark.parametrize("page", [*PAGES, README], ids=lambda page: str(page.stem))


def head(page: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(page.read_text().split("---\n")[1])
    return found


def fences(text: str) -> Iterator[str]:
    for language, block in FENCE.findall(text):
        assert language == "bash"
        yield block


def section(page: Path, heading: str) -> str:
    return page.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]


def manifests() -> tuple[Manifest, ...]:
    """Return what the charts install on the local cluster, in size `ha`."""
    return tuple(manifest for chart, values in CHARTS for manifest in rendered(values, chart=chart))


def names_of_the_charts() -> set[str]:
    """Return every object's name, and the pods of StatefulSets."""
    names = set()
    for manifest in manifests():
        name = manifest["metadata"]["name"]
        names.add(name)
        if manifest["kind"] == "StatefulSet":
            names |= {f"{name}-{ordinal}" for ordinal in range(manifest["spec"]["replicas"])}
            names |= {f"data-{name}-{ordinal}" for ordinal in range(manifest["spec"]["replicas"])}
    return names


def components_of_the_charts() -> set[str]:
    labels = [manifest["metadata"].get("labels", {}) for manifest in manifests()]
    return {label["app.kubernetes.io/component"] for label in labels if "app.kubernetes.io/component" in label}


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {page.relative_to(REPOSITORY).as_posix() for page in PAGES} == {
        rule["annotations"]["runbook_url"] for rule in RULES.values()
    }


@each_page
def test_the_head_says_what_the_rule_says(page: Path) -> None:
    found, rule = head(page), RULES[page.stem]

    assert found.keys() == {"apiVersion", "kind", "name", "title", "severity", "trigger", "automation"}
    assert (found["apiVersion"], found["kind"]) == ("doorbuster.dev/v1alpha1", "Runbook")
    assert (found["name"], found["severity"]) == (page.stem, rule["labels"]["severity"])
    assert found["trigger"] == {"alert": page.stem, "for": rule.get("for", "0s")}
    assert found["automation"] == "manual"


@each_page
def test_the_headings_stand_in_their_order(page: Path) -> None:
    text = page.read_text()

    assert re.findall(r"^# (.+)$", re.sub(FENCE, "", text), re.MULTILINE) == [page.stem]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert all(section(page, heading).strip() for heading in HEADINGS)


@each_page
def test_each_step_of_the_diagnosis_says_when_to_continue(page: Path) -> None:
    steps = list(fences(section(page, "Diagnosis")))

    assert len(steps) == len(re.findall(r"^\d\. ", section(page, "Diagnosis"), re.MULTILINE)) >= 2
    for step in steps:
        assert "# continue " in step, step


@each_page
def test_the_verification_has_something_to_ask(page: Path) -> None:
    assert list(fences(section(page, "Verification")))


@each_text
def test_names_are_those_of_the_charts(page: Path) -> None:
    text = page.read_text()
    there = names_of_the_charts()

    assert {name for name in OURS.findall(text) if name not in there} == set()
    assert set(COMPONENT.findall(text)) | set(PROBLEMS.findall(text)) <= components_of_the_charts()


@each_text
def test_groups_and_topics_are_those_of_the_contracts(page: Path) -> None:
    text = page.read_text()
    topics = {name for topic in Topic for name in (topic.value, dead_letter_topic(topic.value))}

    assert {group for group in GROUP.findall(text) if group not in {each.value for each in READ_BY}} == set()
    assert set(TOPIC.findall(text)) <= topics


@each_text
def test_queries_ask_for_metrics_that_are_declared(page: Path) -> None:
    read = {name for query in QUERY.findall(page.read_text()) for name in asked(query)}

    assert read - registered() - PROMETHEUS_OWN == set()


@each_text
def test_everything_to_be_pasted_is_bash(page: Path) -> None:
    whole = "\n".join(fences(page.read_text()))
    checked = subprocess.run(["bash", "-n"], input=whole, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


@each_page
def test_pages_that_a_comment_leads_to_are_there(page: Path) -> None:
    for block in fences(page.read_text()):
        for name in re.findall(r"[\w./]*[A-Z]\w+\.md", block):
            assert (page.parent / name).is_file(), name


def test_the_readme_lists_every_page() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\(([\w/]+\.md)\) \| (\w+) \| (.+) \|$", README.read_text(), re.MULTILINE)
    expected = [
        (page.stem, page.relative_to(FOLDER).as_posix(), head(page)["severity"], head(page)["title"]) for page in PAGES
    ]

    assert rows == expected


def test_the_readme_knows_every_group_its_deployment_and_its_topics() -> None:
    cells = re.findall(r"^\| `([a-z-]+-group)` \| `([a-z-]+)` \| `([a-z-]+)` \| (.+) \|$", README.read_text(), re.M)
    consumers = [name for name in names_of_the_charts() if name.startswith("apps-consumer-")]

    assert {group: re.findall(r"`([a-z-]+)`", topics) for group, _, _, topics in cells} == {
        group.value: [topic.value for topic in topics] for group, topics in READ_BY.items()
    }
    assert sorted(deployment for _, deployment, _, _ in cells) == sorted(consumers)
    assert all(deployment == f"apps-consumer-{scaler}" for _, deployment, scaler, _ in cells)
