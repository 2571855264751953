"""Airflow's pool `tmdb`, by which all tasks together stay within the rate limit of TMDB.

The pool has one slot for each request per second that the rate limit allows. A task that calls TMDB
occupies several slots, and sends at most that many requests per second.
"""

import logging
import os
from typing import Any, Final

from airflow.sdk import task

from dags.run_context import as_airflow_failure
from movierating.errors import ExplainedError
from movierating.settings import pipeline_settings

logger = logging.getLogger(__name__)

POOL: Final = "tmdb"
DESCRIPTION: Final = "One slot for each request to TMDB per second"


class PoolError(ExplainedError, RuntimeError):
    """Airflow's pool for TMDB is missing or too small, so no task in it would ever start."""


def share_of(requests_per_second: int, workers: int) -> int:
    """Return how many slots of the pool one task occupies.

    The number is rounded up, so that at most `workers` tasks fit into the pool.

    Args:
        requests_per_second: The rate limit of all tasks together, which is the size of the pool.
        workers: How many tasks may call TMDB at the same time.
    """
    return -(-requests_per_second // workers)


TMDB_BUDGET: Final[dict[str, Any]] = {
    "pool": POOL,
    "pool_slots": share_of(
        pipeline_settings().tmdb_requests_per_second, pipeline_settings().collect_workers
    ),
}


@task
def check_tmdb_pool() -> None:
    """Fail if Airflow's pool `tmdb` is missing, or has fewer slots than one task needs.

    Without this check, Airflow would let a task that calls TMDB wait until the run's time limit,
    and give no reason. The size of the pool is in Airflow's database. If AIRFLOW_METADATA_CONN is
    not set, nothing is checked.
    """
    connection = os.environ.get("AIRFLOW_METADATA_CONN", "").strip()
    if not connection:
        logger.info("AIRFLOW_METADATA_CONN is not set, so the pool %s is not checked", POOL)
        return
    from sqlalchemy.exc import SQLAlchemyError

    try:
        slots = _slots(connection)
    # The error's text may contain the database's address, so only its type is logged. An
    # ImportError means that the database's driver is missing.
    except (SQLAlchemyError, ImportError) as error:
        logger.warning("the pool %s is not checked: %s", POOL, type(error).__name__)
        return
    with as_airflow_failure():
        _require_slots(slots, TMDB_BUDGET["pool_slots"])


def _require_slots(slots: int | None, needed: int) -> None:
    size = pipeline_settings().tmdb_requests_per_second
    remedy = f"type `airflow pools set {POOL} {size} '{DESCRIPTION}'`"
    if slots is None:
        raise PoolError(f"Airflow has no pool {POOL}, so no task can call TMDB; {remedy}")
    if 0 <= slots < needed:  # -1 means that the number of slots is unlimited
        raise PoolError(
            f"Airflow's pool {POOL} has {slots} slots, but a task that calls TMDB needs {needed}; "
            f"{remedy}, or change TMDB_REQUESTS_PER_SECOND or COLLECT_WORKERS"
        )


def _slots(connection: str) -> int | None:
    """Read the size of the pool from Airflow's database; None if there is no such pool."""
    # Airflow has no API by which a task could ask for the size. Airflow's own database classes need
    # Airflow's own connection to the database, which Airflow hides from tasks.
    from sqlalchemy import create_engine, text

    engine = create_engine(connection)
    try:
        with engine.connect() as opened:
            query = text("SELECT slots FROM slot_pool WHERE pool = :pool")
            slots: int | None = opened.scalar(query, {"pool": POOL})
    finally:
        engine.dispose()
    return slots
