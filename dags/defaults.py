"""What the DAGs share: retries, words about failures, and the budget of requests to TMDB."""

import logging
from datetime import timedelta
from typing import Any, Final

from dags.alerts import tell
from movierating.settings import pipeline_settings

logger = logging.getLogger(__name__)


def report_failure(context: Any) -> None:
    """Say in one line which task gave up, and why, to the log and to the webhook."""
    task = context["task_instance"]
    failure = f"{task.task_id} of {context['run_id']} failed for good: {context.get('exception')}"
    logger.error("%s", failure)
    tell(f"{task.dag_id}: {failure}")


DEFAULT_ARGS: Final[dict[str, Any]] = {
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=3),
    "on_failure_callback": report_failure,
}


def share_of(requests_per_second: int, workers: int) -> int:
    """The slots of one worker, rounded up: never do more workers fit the pool than share it."""
    return -(-requests_per_second // workers)


# The pool's slots are requests a second. A task that asks TMDB takes the share of one worker, and
# sends no more than that: so the rate holds for all workers together, wherever they run.
TMDB_BUDGET: Final[dict[str, Any]] = {
    "pool": "tmdb",
    "pool_slots": share_of(
        pipeline_settings().tmdb_requests_per_second, pipeline_settings().collect_workers
    ),
}
