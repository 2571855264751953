"""The forecast DAG: forecast upcoming films, score past forecasts, retrain if films drift.

It stores forecasts, scores and drift reports in the forecast ledger, an append-only record in S3.
"""

from datetime import timedelta
from typing import Any, Final

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import alert_failed_run
from dags.assets import PUBLISHED_MODEL
from dags.defaults import DEFAULT_ARGS
from dags.documentation import about, with_clean_docs
from dags.run_context import as_airflow_failure
from dags.task_settings import task_settings
from dags.tmdb_pool import TMDB_BUDGET, check_tmdb_pool
from dags.weekly_message import send_weekly_message
from movierating.settings import pipeline_settings

_DECISION: Final = "decide_on_retraining"
_WRITTEN: Final = f"ti.xcom_pull(task_ids='{_DECISION}', key="


@dag(
    dag_id="tmdb_movie_forecast",
    description="Forecasts films before release, and scores the forecasts once there are votes",
    # A run starts as soon as a new model is in production, and every day for new films and ratings.
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable(
            "0 5 * * *",
            timezone=pipeline_settings().pipeline_timezone,
            run_immediately=timedelta(minutes=10),
        ),
        assets=[PUBLISHED_MODEL],
    ),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args=DEFAULT_ARGS,
    on_failure_callback=alert_failed_run,
    tags=["tmdb", "forecast"],
    doc_md=about("tmdb_movie_forecast"),
)
def tmdb_movie_forecast() -> None:
    """Forecast upcoming films, publish the film catalogue, score forecasts, retrain on drift."""

    @task
    def forecast_upcoming_films() -> int:
        """Forecast films that are not yet released, and append the forecasts to the ledger."""
        from scripts.forecast import forecast
        from scripts.ledger.forecaster import NothingToForecastError
        from scripts.runtime.clock import today

        with as_airflow_failure():
            try:
                return forecast(today(), task_settings())
            # Two cases are normal. A new system has no model yet; its first model will start
            # another run of this DAG. Or the film store has only films from another source than
            # the source of the model's training films.
            except NothingToForecastError as error:
                raise AirflowSkipException(str(error)) from None

    # Not skipped with the forecasts: without a model, visitors can still find films.
    @task(trigger_rule="none_failed")
    def publish_film_catalogue() -> int:
        """Publish the catalogue in which visitors find films by their titles."""
        from scripts.publish import NothingToPublishError, publish
        from scripts.runtime.clock import today

        with as_airflow_failure():
            try:
                return publish(today(), task_settings())
            except NothingToPublishError as error:
                raise AirflowSkipException(str(error)) from None

    # The next catalogue and the next model use the names, so no task waits for this one.
    @task(**TMDB_BUDGET, priority_weight=5)  # starts after a daily run, before waiting slices
    def collect_names_of_people() -> int:
        """Fetch other names of directors, writers and leads from TMDB, a limited number per run."""
        from scripts.people import collect_people
        from scripts.runtime.clock import today

        with as_airflow_failure():
            return collect_people(today(), task_settings())

    @task
    def score_released_films() -> int:
        """Score forecasts: compare them with the ratings that the released films have got.

        A film is scored three times: when it first has enough votes, 30 days after its release, and
        90 days after its release.
        """
        from scripts.runtime.clock import today
        from scripts.score import score

        with as_airflow_failure():
            return score(today(), task_settings())

    @task
    def check_drift() -> list[str]:
        """Compare recent films and errors with those of the training; return the drift alerts."""
        from scripts.drift import check
        from scripts.runtime.clock import today

        with as_airflow_failure():
            report = check(today(), task_settings())
        return list(report.alerts) if report else []

    @task.branch
    def decide_on_retraining() -> str:
        """Retrain if there is a drift alert and no other run has claimed today's retraining."""
        from scripts.drift import claim_retraining
        from scripts.runtime.clock import today

        context: Any = get_current_context()
        with as_airflow_failure():
            claimed = claim_retraining(today(), context["run_id"], task_settings())
        if claimed is None:
            return "keep_model"
        context["ti"].xcom_push("reason", claimed.reason)
        context["ti"].xcom_push("day", claimed.day.isoformat())
        return "retrain_model"

    retrain_model = TriggerDagRunOperator(
        task_id="retrain_model",
        trigger_dag_id="tmdb_movie_rating_pipeline",
        trigger_run_id=f"drift__{{{{ {_WRITTEN}'day') }}}}",
        conf={"reason": f"{{{{ {_WRITTEN}'reason') }}}}"},
        logical_date=None,
        skip_when_already_exists=True,
        doc_md="Start the pipeline with the reason. The run id is the day, so there is one a day.",
    )
    keep_model = EmptyOperator(
        task_id="keep_model", doc_md="No drift was found, or the model was already retrained today."
    )

    scores = score_released_films()
    # After the scores, because the catalogue contains them.
    forecast_upcoming_films() >> scores >> [publish_film_catalogue(), task(send_weekly_message)()]
    scores >> check_drift() >> decide_on_retraining() >> [retrain_model, keep_model]
    check_tmdb_pool() >> collect_names_of_people()


with_clean_docs(tmdb_movie_forecast())
