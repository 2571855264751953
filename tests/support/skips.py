"""Let CI fail when a test was skipped that CI should have run. A pytest plugin."""

import os

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session for any skip but those of tests that need films which are not shipped.

    Workers have no reporter. Their reports come to the process that started them, which judges.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    reasons = {report.longrepr[2] for report in reporter.stats.get("skipped", [])}
    if unexpected := sorted(reason for reason in reasons if "../shared" not in reason):
        reporter.write_line(f"CI allows no such skip: {'; '.join(unexpected)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
