"""Settings that all DAGs share: retries, failure alerts, and the rate limit of TMDB requests."""

import logging
from datetime import timedelta
from typing import Any, Final

from dags.alerts import send_alert
from movierating.settings import pipeline_settings

logger = logging.getLogger(__name__)


def alert_failure(context: Any) -> None:
    """Log and send one line: which task failed after its last retry, and why."""
    task = context["task_instance"]
    failure = f"{task.task_id} of {context['run_id']} failed for good: {context.get('exception')}"
    logger.error("%s", failure)
    send_alert(f"{task.dag_id}: {failure}")


DEFAULT_ARGS: Final[dict[str, Any]] = {
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=3),
    "on_failure_callback": alert_failure,
}


def share_of(requests_per_second: int, workers: int) -> int:
    """The pool slots of one worker, rounded up, so that no more than `workers` fit the pool."""
    return -(-requests_per_second // workers)


# The pool has one slot per request a second. A task that calls TMDB takes one worker's share of the
# slots and sends no more requests than that, so the limit holds for all workers together.
TMDB_BUDGET: Final[dict[str, Any]] = {
    "pool": "tmdb",
    "pool_slots": share_of(
        pipeline_settings().tmdb_requests_per_second, pipeline_settings().collect_workers
    ),
}
