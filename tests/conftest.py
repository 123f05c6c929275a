"""What all tests share: where they are spread over processes, as many have to run as there are."""

from collections.abc import Sequence

import pytest


class EveryTestRuns:
    """Fails a run in which pytest-xdist left tests out.

    It knows a test by its name, and some of its ways to hand tests out run one of those that share a name.
    """

    def __init__(self) -> None:
        self.found = 0
        self.ran = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note how many tests there are; each process says it, and xdist compares what they found."""
        self.found = len(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test when it begins."""
        self.ran += report.when == "setup"

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail what would have passed."""
        if exitstatus == pytest.ExitCode.OK and self.ran < self.found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say it."""
        if self.ran < self.found:
            terminalreporter.write_line(f"only {self.ran} of {self.found} tests ran", red=True)


def pytest_configure(config: pytest.Config) -> None:
    """Watch the process that hands tests out; the others don't know of each other."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(EveryTestRuns(), "every-test-runs")
