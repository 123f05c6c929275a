"""The part of the platform's dashboard that buyers feel: requests, errors, latencies."""

from doorbuster_dashboards import alerts
from doorbuster_dashboards.panels import Kind, Query, Section, Unit, View

# As in the alert rules: machines ask for health, and what matched no route is no work of ours.
_SERVED = 'route!~"/api/v1/health|unmatched"'
_ASKED = 'route!="/api/v1/health"'
_REQUESTS = "http_server_request_duration_seconds"


def _percentile(share: float) -> str:
    return (
        f"histogram_quantile({share}, sum by (route, method, le)"
        f" (rate({_REQUESTS}_bucket{{{_SERVED}}}[$__rate_interval])))"
    )


API = Section(
    title="API",
    views=(
        View(
            title="Requests",
            description="Requests a second by route, without the probes of health.",
            queries=(
                Query(
                    expression=f"sum by (method, route) (rate({_REQUESTS}_count{{{_ASKED}}}[$__rate_interval]))",
                    legend="{{method}} {{route}}",
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        View(
            title="Errors",
            description=(
                "Share of a route's requests that were answered with 5xx. A sold-out product is no error. What was"
                " refused before it reached a route, as for overload, is a share of all requests."
            ),
            queries=(
                Query(
                    expression=(
                        f'sum by (route, method) (rate({_REQUESTS}_count{{status_class="5xx",{_SERVED}}}'
                        "[$__rate_interval]))"
                        f" / sum by (route, method) (rate({_REQUESTS}_count{{{_SERVED}}}[$__rate_interval]))"
                    ),
                    legend="{{method}} {{route}}",
                ),
                Query(
                    expression=(
                        f'sum(rate({_REQUESTS}_count{{status_class="5xx",route="unmatched"}}[$__rate_interval]))'
                        f" / sum(rate({_REQUESTS}_count{{{_SERVED}}}[$__rate_interval])"
                        f' or rate({_REQUESTS}_count{{route="unmatched",status_class!="4xx"}}[$__rate_interval]))'
                    ),
                    legend="refused before a route",
                ),
            ),
            unit=Unit.SHARE,
            limits=alerts.API_ERRORS,
        ),
        View(
            title="Answers by class",
            description="Requests a second by class of their status.",
            queries=(
                Query(
                    expression=f"sum by (status_class) (rate({_REQUESTS}_count{{{_ASKED}}}[$__rate_interval]))",
                    legend="{{status_class}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            kind=Kind.STACKED,
        ),
        View(
            title="Latency, p50",
            description="Half of the requests of a route are answered within this time.",
            queries=(Query(expression=_percentile(0.5), legend="{{method}} {{route}}"),),
            unit=Unit.SECONDS,
        ),
        View(
            title="Latency, p95",
            description="95 % of the requests of a route are answered within this time.",
            queries=(Query(expression=_percentile(0.95), legend="{{method}} {{route}}"),),
            unit=Unit.SECONDS,
            limits=alerts.API_LATENCY,
        ),
        View(
            title="Latency, p99",
            description="99 % of the requests of a route are answered within this time.",
            queries=(Query(expression=_percentile(0.99), legend="{{method}} {{route}}"),),
            unit=Unit.SECONDS,
        ),
        View(
            title="Business refusals",
            description="Answers 409 by code: the shop works, the buyer was too late.",
            queries=(
                Query(expression="sum by (code) (rate(business_refusals_total[$__rate_interval]))", legend="{{code}}"),
            ),
            unit=Unit.PER_SECOND,
            width=12,
        ),
        View(
            title="Commands that gather",
            description="Commands that wait for their batch, and how many a batch has on average.",
            queries=(
                Query(expression="sum by (use_case) (coalescer_waiting)", legend="{{use_case}} wait"),
                Query(
                    expression=(
                        "sum by (use_case) (rate(coalescer_batch_size_sum[$__rate_interval]))"
                        " / sum by (use_case) (rate(coalescer_batch_size_count[$__rate_interval]))"
                    ),
                    legend="{{use_case}} in a batch",
                ),
            ),
            width=12,
        ),
        View(
            title="Streams of orders",
            description="Open streams of each replica. From 1,000 on it refuses more.",
            queries=(Query(expression="max by (pod) (order_streams)", legend="{{pod}}"),),
            width=12,
        ),
        View(
            title="Streams that ended",
            description="Streams a second by why they ended. Slow: the reader didn't take what was sent.",
            queries=(
                Query(
                    expression="sum by (reason) (rate(order_streams_ended_total[$__rate_interval]))",
                    legend="{{reason}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            width=12,
        ),
    ),
)
