"""Fill the film store with the whole of TMDB, in slices that workers share; started by hand."""

from datetime import date, timedelta
from typing import Any, Final

from airflow.sdk import Param, dag, get_current_context, task

from dags.defaults import DEFAULT_ARGS, TMDB_BUDGET
from dags.run_context import explained
from movierating.settings import get_settings

_DAYS: Final = ("first", "last")


@dag(
    dag_id="tmdb_film_backfill",
    description="Brings all films of TMDB into the store, once; the daily run keeps it up to date",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=3),
    params={
        "first": Param(
            None,
            type=["null", "string"],
            format="date",
            description="The oldest release date; without one, that of the oldest film.",
        ),
        "last": Param(
            None,
            type=["null", "string"],
            format="date",
            description="The newest release date; without one, some years ahead.",
        ),
        "min_votes": Param(0, type="integer", minimum=0, description="Leave out films with fewer."),
    },
    default_args=DEFAULT_ARGS,
    tags=["tmdb", "collection"],
    doc_md=__doc__,
)
def tmdb_film_backfill() -> None:
    """Plan, fill, finish."""

    @task(multiple_outputs=False, **TMDB_BUDGET)
    def plan_slices() -> list[dict[str, Any]]:
        """Cut the films by release date until TMDB lists each slice whole."""
        from scripts.backfill import plan

        asked = get_current_context()["params"]
        first, last = (
            date.fromisoformat(day) if day else None for day in (asked["first"], asked["last"])
        )
        with explained():
            return [
                part.as_json() for part in plan(get_settings(), first, last, asked["min_votes"])
            ]

    @task(**TMDB_BUDGET, map_index_template="{{ part['first'] }} to {{ part['last'] }}")
    def fill_slice(part: dict[str, Any]) -> dict[str, Any]:
        """Fetch the films of one slice; tried again, it goes on where it stopped."""
        from scripts.backfill import Slice, fill

        with explained():
            return fill(Slice.from_json(part), get_settings())

    @task
    def finish_backfill(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
        """Say what came, and fold the store's small files."""
        from scripts.backfill import finish

        with explained():
            return finish(list(outcomes), get_settings())

    outcomes: Any = fill_slice.expand(part=plan_slices())
    finish_backfill(outcomes)


tmdb_film_backfill()
