"""What can be wrong with a report that is read.

LoadTestError
└── ReportError
    ├── NotATimeline
    ├── NotASummary
    └── NotAnAudit
"""

from loadtests.errors import LoadTestError


class ReportError(LoadTestError):
    """A report can't be used; its text says why."""


class NotATimeline(ReportError):
    """The file holds no timeline, or one of another version."""


class NotASummary(ReportError):
    """The file holds no summary, or one of another version."""


class NotAnAudit(ReportError):
    """What the auditor printed is no report of its."""
