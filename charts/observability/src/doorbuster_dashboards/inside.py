"""The part of the platform's dashboard about what it says of itself: breakers, faults on purpose, auditor, locks."""

from doorbuster_dashboards import alerts
from doorbuster_dashboards.panels import Query, Section, Unit, View

INSIDE = Section(
    title="Breakers, faults and the auditor",
    views=(
        View(
            title="Breakers that are open",
            description=(
                "1 while a process doesn't ask a server, because the last calls failed. For Kafka: orders are refused,"
                " because too much waits in the outbox."
            ),
            queries=(
                Query(
                    expression="max by (component, dependency) (breaker_open) > 0",
                    legend="{{component}}: {{dependency}}",
                ),
            ),
        ),
        View(
            title="Faults that are switched on",
            description="Processes with a fault that somebody has switched on, on purpose. None is good.",
            queries=(
                Query(expression="count by (component, fault) (fault_active > 0)", legend="{{component}}: {{fault}}"),
            ),
            limits=alerts.FAULT,
        ),
        View(
            title="Who works",
            description="1 for the process that holds a lock and works; the others stand by.",
            queries=(Query(expression="max by (lock, pod) (lock_held)", legend="{{lock}}: {{pod}}"),),
        ),
        View(
            title="Auditor, last look",
            description="Seconds since the moment that the auditor saw last.",
            queries=(Query(expression='time() - max(audit_last_success_timestamp{component="audit"})', legend="ago"),),
            unit=Unit.SECONDS,
            limits=alerts.AUDIT_AGE,
        ),
        View(
            title="Auditor, time of a look",
            description="How long the last look at what has changed took, and the last one at everything.",
            queries=(Query(expression="max by (scan) (audit_seconds)", legend="{{scan}}"),),
            unit=Unit.SECONDS,
        ),
        View(
            title="Auditor, under way",
            description="What the auditor saw unfinished, and therefore no breach.",
            queries=(Query(expression="max by (kind) (audit_in_flight)", legend="{{kind}}"),),
        ),
    ),
)
