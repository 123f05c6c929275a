"""The part of the platform's dashboard about the catalogue's copies and the sold-out hint."""

from doorbuster_dashboards.panels import Kind, Query, Section, Unit, View

CATALOGUE = Section(
    title="Catalogue",
    views=(
        View(
            title="Where products are found",
            description=(
                "Reads of one product a second by level and result. Most end in the process; those of the database are"
                " what the copies are for."
            ),
            queries=(
                Query(
                    expression=('sum by (level, result) (rate(cache_reads_total{result!="miss"}[$__rate_interval]))'),
                    legend="{{level}} {{result}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            kind=Kind.STACKED,
        ),
        View(
            title="Copies that Redis was offered",
            description=(
                "Copies a second by what became of them, drops of copies in processes, and questions that Redis didn't"
                " answer. Outdated ones were read where a change hadn't arrived yet."
            ),
            queries=(
                Query(expression="sum by (result) (rate(cache_fills_total[$__rate_interval]))", legend="{{result}}"),
                Query(
                    expression="sum by (cause) (rate(cache_drops_total[$__rate_interval]))", legend="dropped: {{cause}}"
                ),
                Query(
                    expression="sum by (cache) (rate(cache_away_total[$__rate_interval]))",
                    legend="no answer: {{cache}}",
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Refused as sold out",
            description="Orders a second that the hint turned away before anything was written.",
            queries=(Query(expression="sum(rate(orders_sold_out_total[$__rate_interval]))", legend="orders"),),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Copies in processes",
            description="Copies that each process holds; 20,000 at the most.",
            queries=(Query(expression="max by (pod) (cache_entries)", legend="{{pod}}"),),
            width=12,
        ),
        View(
            title="Memory of copies",
            description="Bytes of the copies that each process holds, with what Python needs; 16 MiB at the most.",
            queries=(Query(expression="max by (pod) (cache_bytes)", legend="{{pod}}"),),
            unit=Unit.BYTES,
            width=12,
        ),
    ),
)
