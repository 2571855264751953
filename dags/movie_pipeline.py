"""The daily pipeline: collect, preprocess, train, deploy."""

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetAlias,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    SyncCallback,
    dag,
    task,
)

from dags.alerts import tell_of_deadline, tell_of_timeout
from dags.defaults import DEFAULT_ARGS, TMDB_BUDGET
from dags.run_context import explained, run_date
from movierating.settings import get_settings

PUBLISHED_MODEL = Asset(name="movie_rating_model", uri="movierating://production")
# An outlet by alias, so that a refused model tells nobody that there is a new one.
PROMOTION = AssetAlias("movie_rating_promotion")
# A run takes minutes, on TMDB's worst days an hour or two.
LATE = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(hours=4),
    callback=SyncCallback(tell_of_deadline),
)


@dag(
    dag_id="tmdb_movie_rating_pipeline",
    description="Learns from TMDB every day and publishes the model that forecasts ratings",
    schedule=CronTriggerTimetable(
        "0 3 * * *",
        timezone=get_settings().pipeline_timezone,
        run_immediately=timedelta(minutes=10),  # unpausing at another time starts no run
    ),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    deadline=LATE,
    params={
        "run_date": Param(
            None,
            type=["null", "string"],
            format="date",
            description="Run for this date; a past one publishes, but never moves production.",
        )
    },
    default_args=DEFAULT_ARGS,
    on_failure_callback=tell_of_timeout,
    tags=["tmdb", "training"],
    doc_md=__doc__,
)
def tmdb_movie_rating_pipeline() -> None:
    """Collect, preprocess, train, deploy."""

    @task(**TMDB_BUDGET, priority_weight=10)  # before the slices of a backfill
    def extract_tmdb_data() -> str:
        """Bring the film store up to date, and keep what came in."""
        from scripts.collect import collect

        with explained():
            return str(collect(run_date(), get_settings()))

    @task
    def preprocess_movie_data() -> str:
        """Keep the films that can teach, and say what was dropped."""
        from scripts.preprocess import preprocess

        with explained():
            return str(preprocess(run_date(), get_settings()))

    @task
    def train_and_save_best_model() -> str:
        """Train the candidates, choose one, measure it, write its bundle."""
        from scripts.train import train

        with explained():
            return train(run_date(), get_settings()).version

    @task(outlets=[PROMOTION])
    def deploy_model_to_s3(*, outlet_events: Any = None) -> dict[str, Any]:
        """Publish the bundle and move production to it, if it earns that."""
        from dataclasses import asdict

        from scripts.deploy import deploy

        with explained():
            deployment = asdict(deploy(run_date(), get_settings()))
        if deployment["promoted"]:
            outlet_events[PROMOTION].add(PUBLISHED_MODEL, extra=deployment)
        return deployment

    (
        extract_tmdb_data()
        >> preprocess_movie_data()
        >> train_and_save_best_model()
        >> deploy_model_to_s3()
    )


tmdb_movie_rating_pipeline()
