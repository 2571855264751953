"""The daily pipeline: collect films, preprocess them, train, deploy, confirm the deployment."""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import alert_failed_run
from dags.approval import QUESTION, PromotionQuestion
from dags.assets import PUBLISHED_MODEL, is_announced
from dags.defaults import DEFAULT_ARGS
from dags.documentation import about, with_clean_docs
from dags.run_context import as_airflow_failure, run_date
from dags.task_settings import task_settings
from dags.tmdb_pool import TMDB_BUDGET, check_tmdb_pool
from movierating.settings import pipeline_settings


def _require_news(deployment: dict[str, Any] | None) -> None:
    """Skip the task if the deployment has changed nothing."""
    if deployment is None:
        raise AirflowSkipException("a person marked the deployment as successful; nothing ran")
    version = deployment["version"]
    if not deployment["promoted"]:
        raise AirflowSkipException(f"{version} was not promoted, so production has not changed")
    if not deployment["is_new"]:
        raise AirflowSkipException(f"{version} was announced before, so nothing has changed")


@dag(
    dag_id="tmdb_movie_rating_pipeline",
    description="Trains on TMDB's films every day and publishes a model that forecasts ratings",
    schedule=CronTriggerTimetable(
        "0 3 * * *",
        timezone=pipeline_settings().pipeline_timezone,
        # If someone unpauses the DAG up to ten minutes after 03:00, a run starts. Otherwise the
        # first run starts at the next 03:00.
        run_immediately=timedelta(minutes=10),
    ),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    params={
        "run_date": Param(
            None,
            title="Run date",
            type=["null", "string"],
            format="date",
            description="Run for this date. Default: the day of the logical date, or today. A past "
            "date publishes, but never changes production.",
        ),
        "reason": Param(
            None,
            title="Reason",
            type=["null", "string"],
            description="Why the run was started; the forecast ledger names what has drifted.",
        ),
    },
    default_args=DEFAULT_ARGS,
    on_failure_callback=alert_failed_run,
    tags=["tmdb", "training"],
    doc_md=about("tmdb_movie_rating_pipeline"),
)
def tmdb_movie_rating_pipeline() -> None:
    """Collect films, preprocess them, train a model, deploy it, and confirm that the API uses it.

    If PROMOTION_APPROVAL is set, a person must approve the model before it goes into production.
    """

    @task(**TMDB_BUDGET, priority_weight=10)  # starts before waiting slices
    def extract_tmdb_data() -> str:
        """Update the film store from TMDB, and write the fetched films to this run's CSV file."""
        from scripts.collect import collect

        with as_airflow_failure():
            return str(collect(run_date(), task_settings()))

    @task
    def preprocess_movie_data() -> str:
        """Select the films that can be used for training, and report how many were dropped."""
        from scripts.preprocess import preprocess

        with as_airflow_failure():
            return str(preprocess(run_date(), task_settings()))

    @task
    def train_and_save_best_model() -> str:
        """Train the candidate models, choose one, evaluate it, and write its bundle."""
        from scripts.train import train

        with as_airflow_failure():
            return train(run_date(), task_settings()).version

    # After a refusal this skips only the approval, because the deployment has a trigger rule.
    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def publish_model_to_s3() -> dict[str, Any] | None:
        """Publish the model without promoting it; if the gate refuses it, skip the approval.

        The gate is the check that compares a new model with the model in production.
        """
        from dataclasses import asdict

        from scripts.deploy import propose

        with as_airflow_failure():
            proposal = propose(run_date(), task_settings())
        return asdict(proposal) if proposal.promoted else None

    # `none_failed`: the approval is skipped if the gate refuses, and this task records the reason.
    @task(inlets=[PUBLISHED_MODEL], trigger_rule="none_failed")
    def deploy_model_to_s3(*, run_id: Any = None, inlet_events: Any = None) -> dict[str, Any]:
        """Publish the model; promote it if the gate and (if asked) a person allow it.

        The gate is the check that compares a new model with the model in production. The person's
        answer counts only if it was recorded in this run, whatever the state of the approval task.

        The result says whether the model is promoted, and whether it is new in production. A
        repeated run promotes the same version again, so its result is not new.
        """
        from dataclasses import asdict

        from scripts.deploy import deploy

        with as_airflow_failure():
            deployment = deploy(run_date(), task_settings(), run_id)
        is_new = deployment.promoted and not is_announced(deployment.version, inlet_events)
        return asdict(deployment) | {"is_new": is_new}

    # The outlet gets an event when this task succeeds, and none when this task is skipped. The
    # deployment cannot have the outlet, because the deployment also succeeds if the gate refuses or
    # if a run is repeated.
    @task(outlets=[PUBLISHED_MODEL])
    def announce_new_model(deployment: Any, *, outlet_events: Any = None) -> None:
        """Start the forecasts with the new model; skipped if no new version is in production."""
        _require_news(deployment)
        outlet_events[PUBLISHED_MODEL].extra = deployment

    @task
    def confirm_new_model_in_service(deployment: Any) -> None:
        """Wait until the prediction API at API_URL answers with the new model version.

        Skipped if no new version is in production, or if API_URL is not set.
        """
        from scripts.confirm import confirm

        _require_news(deployment)
        if not pipeline_settings().api_url:
            raise AirflowSkipException("API_URL is not set, so there is no service to ask")
        with as_airflow_failure():
            confirm(deployment["version"], pipeline_settings())

    collected = check_tmdb_pool() >> extract_tmdb_data()
    trained = collected >> preprocess_movie_data() >> train_and_save_best_model()
    deployed: Any = deploy_model_to_s3()
    if pipeline_settings().promotion_approval:
        question = PromotionQuestion(
            task_id=QUESTION,
            doc_md="Ask a person whether the new version may go into production. The question is "
            "under Required Actions. If nobody answers in time, the answer is no.",
        )
        trained >> publish_model_to_s3() >> question >> deployed
    else:
        trained >> deployed
    announce_new_model(deployed)
    confirm_new_model_in_service(deployed)


with_clean_docs(tmdb_movie_rating_pipeline())
