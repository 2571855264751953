"""A pytest plugin that makes CI fail if a test was skipped that CI must run."""

import os

import pytest

from tests.support.airflow_chart import ABSENT


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session if a test was skipped, unless it needs something that is not in git.

    That is real films, and Airflow's Helm chart.

    Only the main process checks this. The worker processes send it their reports.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    reasons = {report.longrepr[2] for report in reporter.stats.get("skipped", [])}
    allowed = ("../shared", ABSENT)
    if unexpected := sorted(each for each in reasons if not any(why in each for why in allowed)):
        reporter.write_line(f"CI allows no such skip: {'; '.join(unexpected)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
