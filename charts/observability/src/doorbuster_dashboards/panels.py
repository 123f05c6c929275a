"""What a dashboard is made of, as values, and how each becomes a panel of Grafana."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import DashboardLink, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as StatPanel
from grafana_foundation_sdk.builders.table import Panel as TablePanel
from grafana_foundation_sdk.builders.timeseries import Panel as TimeseriesPanel
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.dashboard import Panel as PanelModel
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from doorbuster_dashboards.alerts import NO_LIMITS, Limits

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
# The variable with the address in front of `runbooks/…`; it depends on where this repository is shown.
RUNBOOKS = "${runbooks}"

# Grafana colours from a threshold on, alerts fire above it: what must be 0 is green at 0.
JUST_ABOVE_NOTHING = 1e-9


class Unit(StrEnum):
    """Grafana's names of units."""

    NUMBER = "short"
    SECONDS = "s"
    SHARE = "percentunit"
    PER_SECOND = "cps"
    BYTES = "bytes"


class Kind(StrEnum):
    """How values are shown."""

    CHART = "chart"
    STACKED = "stacked"
    NUMBER = "number"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A PromQL expression, and what its series are called; empty means that Grafana names them."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One panel.

    Attributes:
        title: what is seen, in a few words.
        description: what it means, and what is good.
        queries: what is asked.
        unit: of all values.
        limits: alerts that it shows the limits of and links to the runbooks of.
        kind: how it is shown.
        width: of the 24 columns.
    """

    title: str
    description: str
    queries: Sequence[Query]
    unit: Unit = Unit.NUMBER
    limits: Limits = NO_LIMITS
    kind: Kind = Kind.CHART
    width: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A row of a dashboard and its panels."""

    title: str
    views: Sequence[View]


def panel(view: View, number: int) -> Builder[PanelModel]:
    """Return the panel of a view.

    Args:
        view: what to show.
        number: its id, unique within the dashboard.
    """
    match view.kind:
        case Kind.NUMBER:
            return _number(view, number)
        case Kind.TABLE:
            return _table(view, number)
        case Kind.CHART | Kind.STACKED:
            return _chart(view, number)


def _chart(view: View, number: int) -> TimeseriesPanel:
    built = (
        TimeseriesPanel()
        .id(number)
        .title(view.title)
        .description(_description(view))
        .datasource(DATASOURCE)
        .targets(list(_targets(view, instant=False)))
        .links(list(_links(view)))
        .unit(view.unit)
        .min(0)
        .height(8)
        .span(view.width)
        .line_width(1)
        .fill_opacity(30 if view.kind is Kind.STACKED else 5)
        .thresholds(_thresholds(view.limits))
        .legend(_legend())
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    if _has_lines(view.limits):
        built = built.thresholds_style(GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    if view.kind is Kind.STACKED:
        built = built.stacking(StackingConfig().mode(StackingMode.NORMAL))
    return built


def _number(view: View, number: int) -> StatPanel:
    return (
        StatPanel()
        .id(number)
        .title(view.title)
        .description(_description(view))
        .datasource(DATASOURCE)
        .targets(list(_targets(view, instant=False)))
        .links(list(_links(view)))
        .unit(view.unit)
        .height(4)
        .span(view.width)
        .thresholds(_thresholds(view.limits))
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(BigValueGraphMode.AREA)
    )


def _table(view: View, number: int) -> TablePanel:
    hidden = dict.fromkeys(("Time", "__name__", "alertstate", "Value"), True)
    return (
        TablePanel()
        .id(number)
        .title(view.title)
        .description(_description(view))
        .datasource(DATASOURCE)
        .targets(list(_targets(view, instant=True)))
        .links(list(_links(view)))
        .height(8)
        .span(view.width)
        .with_transformation(DataTransformerConfig(id_val="organize", options={"excludeByName": hidden}))
    )


def _legend() -> VizLegendOptions:
    return (
        VizLegendOptions()
        .show_legend(True)  # noqa: FBT003  # the library's own signature
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )


def _targets(view: View, *, instant: bool) -> Iterator[Dataquery]:
    for letter, query in zip("ABCDEFGH", view.queries, strict=False):
        target = Dataquery().ref_id(letter).expr(query.expression).datasource(DATASOURCE)
        if query.legend:
            target = target.legend_format(query.legend)
        yield target.instant().format(PromQueryFormat.TABLE) if instant else target.range()


def _description(view: View) -> str:
    told = ", ".join(alert.name for alert in view.limits.alerts)
    return f"{view.description} Alerts: {told}." if told else view.description


def _links(view: View) -> Iterator[DashboardLink]:
    for alert in view.limits.alerts:
        yield (
            DashboardLink(f"Runbook {alert.name}")
            .type(DashboardLinkType.LINK)
            .url(f"{RUNBOOKS}/{alert.runbook}")
            .target_blank(True)  # noqa: FBT003  # the library's own signature
        )


def _has_lines(limits: Limits) -> bool:
    return any(alert.limit for alert in limits.alerts)


def _thresholds(limits: Limits) -> ThresholdsConfig:
    colours = ((limits.warning, "orange"), (limits.critical, "red"))
    steps = [Threshold(value=None, color="green")]
    steps += [
        Threshold(value=alert.limit or JUST_ABOVE_NOTHING, color=colour)
        for alert, colour in colours
        if alert and alert.limit is not None
    ]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
