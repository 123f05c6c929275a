"""The part of the platform's dashboard about coupons that are given away, and the gates in front of them."""

from doorbuster_dashboards.panels import Kind, Query, Section, Unit, View

COUPONS = Section(
    title="Coupons",
    views=(
        View(
            title="Told to who wants a coupon",
            description="Answers a second: issued, repeated, or why not. Sold out is no error.",
            queries=(
                Query(expression="sum by (result) (rate(coupon_issues_total[$__rate_interval]))", legend="{{result}}"),
            ),
            unit=Unit.PER_SECOND,
            kind=Kind.STACKED,
        ),
        View(
            title="What gates say",
            description="Calls a second by the gate's state. All but open go to MySQL: slower, and just as right.",
            queries=(
                Query(
                    expression="sum by (state) (rate(coupon_gate_answers_total[$__rate_interval]))", legend="{{state}}"
                ),
            ),
            unit=Unit.PER_SECOND,
            kind=Kind.STACKED,
        ),
        View(
            title="Gates looked after",
            description=(
                "Within 5 minutes: claims that became rows (confirmed) or nothing (released), gates that counted rows"
                " anew, gates that were rebuilt."
            ),
            queries=(Query(expression="sum by (event) (increase(coupon_gate_repairs_total[5m]))", legend="{{event}}"),),
        ),
    ),
)
