"""A pytest plugin that makes CI fail if a test was skipped that CI must run."""

import os

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session if a test was skipped, unless it needs real films, which are not in git.

    Only the main process checks this. The worker processes send it their reports.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    reasons = {report.longrepr[2] for report in reporter.stats.get("skipped", [])}
    if unexpected := sorted(reason for reason in reasons if "../shared" not in reason):
        reporter.write_line(f"CI allows no such skip: {'; '.join(unexpected)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
