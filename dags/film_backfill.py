"""Fill the film store with the whole of TMDB, in slices that workers share; started by hand."""

from datetime import date, timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from dags.alerts import tell_of_timeout
from dags.defaults import DEFAULT_ARGS, TMDB_BUDGET
from dags.run_context import explained
from movierating.settings import pipeline_settings


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


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
        "slice_films": Param(
            5000,
            type="integer",
            minimum=1,
            maximum=10_000,
            description="The most films a slice has; smaller slices spread over more workers.",
        ),
    },
    default_args=DEFAULT_ARGS,
    on_failure_callback=tell_of_timeout,
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
        with explained():
            slices = plan(
                pipeline_settings(),
                _day(asked["first"]),
                _day(asked["last"]),
                asked["min_votes"],
                asked["slice_films"],
            )
        return [part.as_json() for part in slices]

    @task(**TMDB_BUDGET, map_index_template="{{ days }}")
    def fill_slice(part: dict[str, Any]) -> dict[str, Any]:
        """Fetch the films of one slice; tried again, it goes on where it stopped."""
        from scripts.backfill import Slice, fill

        context: Any = get_current_context()
        context["days"] = f"{part['first']} to {part['last']}"  # the task's name in the grid
        with explained():
            return fill(Slice.from_json(part), pipeline_settings())

    @task
    def finish_backfill(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
        """Say what came, and fold the store's small files."""
        from scripts.backfill import finish

        with explained():
            return finish(list(outcomes), pipeline_settings())

    outcomes: Any = fill_slice.expand(part=plan_slices())
    finish_backfill(outcomes)


tmdb_film_backfill()
