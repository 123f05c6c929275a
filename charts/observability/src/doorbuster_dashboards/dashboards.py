"""Puts rows and variables together to the two dashboards, and gives their JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
    TextBoxVariable,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import TimeZoneBrowser
from grafana_foundation_sdk.models.dashboard import (
    Dashboard as DashboardModel,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from doorbuster_dashboards import consumers, platform
from doorbuster_dashboards.panels import DATASOURCE, Section, panel

REFRESH = "10s"
WINDOW = "now-30m"
EVERYTHING = "$__all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A variable with the values of a label, of which any may be chosen."""

    name: str
    label: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One dashboard."""

    name: str
    title: str
    description: str
    sections: Sequence[Section]
    choices: Sequence[Choice] = ()


PLANS = (
    Plan(
        name="platform",
        title="Doorbuster: platform",
        description="Orders, API, outbox, sagas, stores: whether the platform keeps its promises.",
        sections=platform.SECTIONS,
    ),
    Plan(
        name="consumers",
        title="Doorbuster: consumers",
        description="How far the consumer groups are, what their replicas do, and why the operator scales them.",
        sections=consumers.SECTIONS,
        choices=(
            Choice(name="group", label="Consumer group", query="label_values(consumer_batch_limit, group)"),
            Choice(name="scaler", label="Scaler", query="label_values(scaler_replicas, scaler)"),
        ),
    ),
)


def texts() -> Mapping[str, str]:
    """Return the JSON of all dashboards by name; the same each time."""
    return {plan.name: JSONEncoder(sort_keys=True, indent=2).encode(_dashboard(plan)) + "\n" for plan in PLANS}


def _dashboard(plan: Plan) -> DashboardModel:
    dashboard = (
        Dashboard(plan.title)
        .uid(f"doorbuster-{plan.name}")
        .description(plan.description)
        .tags(["doorbuster", "generated"])
        .refresh(REFRESH)
        .time(WINDOW, "now")
        .timezone(TimeZoneBrowser)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for choice in plan.choices:
        dashboard = dashboard.with_variable(_variable(choice))
    dashboard = dashboard.with_variable(_runbooks())
    number = 0
    for section in plan.sections:
        number += 1
        dashboard = dashboard.with_row(Row(section.title).id(number))
        for view in section.views:
            number += 1
            dashboard = dashboard.with_panel(panel(view, number))
    return dashboard.build()


def _variable(choice: Choice) -> QueryVariable:
    return (
        QueryVariable(choice.name)
        .label(choice.label)
        .query(choice.query)
        .datasource(DATASOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)  # noqa: FBT003  # the library's own signature
        .include_all(True)  # noqa: FBT003  # the same
        .current(VariableOption(selected=True, text="All", value=EVERYTHING))
    )


def _runbooks() -> TextBoxVariable:
    return (
        TextBoxVariable("runbooks")
        .label("Runbooks at")
        .description("Where this repository is shown, without a slash at the end; links to runbooks begin with it.")
        .default_value("")
    )
