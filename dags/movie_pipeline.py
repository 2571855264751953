"""The daily pipeline: collect, preprocess, train, deploy, confirm."""

from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAlias, CronTriggerTimetable, Param, dag, task
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import tell_of_deadline, tell_of_timeout
from dags.approval import answer_of, approve_promotion
from dags.assets import PUBLISHED_MODEL
from dags.defaults import DEFAULT_ARGS, TMDB_BUDGET
from dags.run_context import explained, run_date
from movierating.settings import pipeline_settings

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
        timezone=pipeline_settings().pipeline_timezone,
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
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            description="Why the run was started; the forecast ledger writes here what drifted.",
        ),
    },
    default_args=DEFAULT_ARGS,
    on_failure_callback=tell_of_timeout,
    tags=["tmdb", "training"],
    doc_md=__doc__,
)
def tmdb_movie_rating_pipeline() -> None:
    """Collect, preprocess, train, deploy, confirm; with PROMOTION_APPROVAL, ask before the move."""

    @task(**TMDB_BUDGET, priority_weight=10)  # before the slices of a backfill
    def extract_tmdb_data() -> str:
        """Bring the film store up to date, and keep what came in."""
        from scripts.collect import collect

        with explained():
            return str(collect(run_date(), pipeline_settings()))

    @task
    def preprocess_movie_data() -> str:
        """Keep the films that can teach, and say what was dropped."""
        from scripts.preprocess import preprocess

        with explained():
            return str(preprocess(run_date(), pipeline_settings()))

    @task
    def train_and_save_best_model() -> str:
        """Train the candidates, choose one, measure it, write its bundle."""
        from scripts.train import train

        with explained():
            return train(run_date(), pipeline_settings()).version

    @task.short_circuit(ignore_downstream_trigger_rules=False)  # it skips the question alone
    def publish_model_to_s3() -> dict[str, Any] | None:
        """Publish the bundle without moving production; nobody is asked where the gate says no."""
        from dataclasses import asdict

        from scripts.deploy import propose

        with explained():
            proposal = propose(run_date(), pipeline_settings())
        return asdict(proposal) if proposal.promoted else None

    # After a skipped question, too: the gate's refusal is recorded here.
    @task(outlets=[PROMOTION], trigger_rule="none_failed")
    def deploy_model_to_s3(answer: Any = None, *, outlet_events: Any = None) -> dict[str, Any]:
        """Publish the bundle and move production to it, if it earns that."""
        from dataclasses import asdict

        from scripts.deploy import deploy

        with explained():
            deployment = asdict(deploy(run_date(), pipeline_settings(), answer_of(answer)))
        if deployment["promoted"]:
            outlet_events[PROMOTION].add(PUBLISHED_MODEL, extra=deployment)
        return deployment

    @task
    def confirm_new_model_in_service(deployment: Any) -> None:
        """Wait until the service answers with the version, where API_URL says who to ask."""
        from scripts.confirm import confirm

        if not deployment["promoted"]:
            raise AirflowSkipException("production has not moved, so the service is not asked")
        if not pipeline_settings().api_url:
            raise AirflowSkipException("API_URL is not set, so no service is asked")
        with explained():
            confirm(deployment["version"], pipeline_settings())

    trained = extract_tmdb_data() >> preprocess_movie_data() >> train_and_save_best_model()
    if pipeline_settings().promotion_approval:
        question = approve_promotion()
        trained >> publish_model_to_s3() >> question
        deployed = deploy_model_to_s3(question.output)
    else:
        deployed = deploy_model_to_s3()
        trained >> deployed
    confirm_new_model_in_service(deployed)


tmdb_movie_rating_pipeline()
