"""Settings that the tasks of all DAGs share: retries, time limits, and what happens on an error."""

from datetime import timedelta
from typing import Any, Final

from dags.failures import keep_reason
from dags.run_context import check_run

DEFAULT_ARGS: Final[dict[str, Any]] = {
    "owner": "movie-rating",  # shown on Airflow's pages
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=3),
    "on_failure_callback": keep_reason,
    "pre_execute": check_run,
}
