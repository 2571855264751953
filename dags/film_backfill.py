"""Backfill: collect all TMDB films into the film store. A person starts this DAG.

The films are split into slices. A slice is one range of release dates; slices run in parallel.
"""

from datetime import date, timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from dags.alerts import alert_failed_run
from dags.defaults import DEFAULT_ARGS
from dags.documentation import about, with_clean_docs
from dags.run_context import as_airflow_failure
from dags.task_settings import task_settings
from dags.tmdb_pool import TMDB_BUDGET, check_tmdb_pool


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@dag(
    dag_id="tmdb_film_backfill",
    description="Collects all films of TMDB once; the daily run keeps the store up to date",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=3),
    params={
        "first": Param(
            None,
            title="First release date",
            type=["null", "string"],
            format="date",
            description="Oldest release date. Default: that of the oldest film.",
        ),
        "last": Param(
            None,
            title="Last release date",
            type=["null", "string"],
            format="date",
            description="Newest release date. Default: some years ahead.",
        ),
        "min_votes": Param(
            0,
            title="Smallest number of votes",
            type="integer",
            minimum=0,
            description="Leave out films with fewer votes.",
        ),
        "slice_films": Param(
            5000,
            title="Films in a slice",
            type="integer",
            minimum=1,
            maximum=10_000,
            description="Largest number of films in a slice. Smaller slices use more workers.",
        ),
    },
    default_args=DEFAULT_ARGS,
    on_failure_callback=alert_failed_run,
    tags=["tmdb", "collection"],
    doc_md=about("tmdb_film_backfill"),
)
def tmdb_film_backfill() -> None:
    """Plan the slices of release dates, collect their films in parallel, and compact the store."""

    @task(multiple_outputs=False, **TMDB_BUDGET)
    def plan_slices() -> list[dict[str, Any]]:
        """Split the release dates into slices (ranges of dates) that TMDB can list completely.

        TMDB lists at most 10,000 films per query, so a slice must not have more films.
        """
        from scripts.backfill import plan

        asked = get_current_context()["params"]
        with as_airflow_failure():
            slices = plan(
                task_settings(),
                _day(asked["first"]),
                _day(asked["last"]),
                asked["min_votes"],
                asked["slice_films"],
            )
        return [part.as_json() for part in slices]

    # Airflow does not show the docstring of a mapped task, so `doc_md` has the text.
    @task(
        **TMDB_BUDGET,
        map_index_template="{{ days }}",
        doc_md="Collect the films of one slice. A retry fetches only missing films.",
    )
    def fill_slice(part: dict[str, Any]) -> dict[str, Any]:
        """Collect the films of one slice. A retry fetches only the films that are still missing."""
        from scripts.backfill import fill
        from scripts.tmdb.slices import Slice

        context: Any = get_current_context()
        context["days"] = f"{part['first']} to {part['last']}"  # the task's name in Airflow's grid
        with as_airflow_failure():
            return fill(Slice.from_json(part), task_settings())

    @task
    def finish_backfill(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
        """Report how many films all slices collected, and merge the film store's small files."""
        from scripts.backfill import finish

        with as_airflow_failure():
            return finish(list(outcomes), task_settings())

    slices = plan_slices()
    check_tmdb_pool() >> slices
    outcomes: Any = fill_slice.expand(part=slices)
    finish_backfill(outcomes)


with_clean_docs(tmdb_film_backfill())
