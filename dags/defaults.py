"""Settings that all DAGs share: retries, errors, and the rate limit of TMDB requests."""

from datetime import timedelta
from typing import Any, Final

from dags.failures import keep_reason
from movierating.settings import pipeline_settings

DEFAULT_ARGS: Final[dict[str, Any]] = {
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=3),
    "on_failure_callback": keep_reason,
}


def share_of(requests_per_second: int, workers: int) -> int:
    """Return how many slots of Airflow's pool for TMDB requests one task occupies.

    The pool has one slot per request per second. The number is rounded up, so that at most
    `workers` tasks fit into the pool.

    Args:
        requests_per_second: The rate limit of all tasks together, which is the size of the pool.
        workers: How many tasks may call TMDB at the same time.
    """
    return -(-requests_per_second // workers)


# The pool has one slot for each request per second that TMDB's rate limit allows. A task that calls
# TMDB occupies several slots, and sends at most that many requests per second. So all tasks
# together stay within the rate limit.
TMDB_BUDGET: Final[dict[str, Any]] = {
    "pool": "tmdb",
    "pool_slots": share_of(
        pipeline_settings().tmdb_requests_per_second, pipeline_settings().collect_workers
    ),
}
