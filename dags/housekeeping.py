"""Delete old files, logs, model versions and Airflow runs daily, and report late runs."""

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import alert_failed_run, send_new_alerts
from dags.defaults import DEFAULT_ARGS
from dags.documentation import about, with_clean_docs
from dags.late_runs import LATE_AFTER, late_runs
from dags.run_context import as_airflow_failure
from dags.task_settings import task_settings
from movierating.settings import pipeline_settings


@dag(
    dag_id="tmdb_housekeeping",
    description="Deletes old working files, model versions, logs and Airflow runs",
    schedule=CronTriggerTimetable(
        "0 6 * * *",
        timezone=pipeline_settings().pipeline_timezone,
        run_immediately=timedelta(minutes=10),
    ),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=DEFAULT_ARGS,
    on_failure_callback=alert_failed_run,
    tags=["housekeeping"],
    doc_md=about("tmdb_housekeeping"),
)
def tmdb_housekeeping() -> None:
    """Clean up files, registry and Airflow's database, and look for late runs; each on its own."""

    @task
    def prune_files() -> int:
        """Delete old files in the working folder, W&B folders and logs; return the freed bytes."""
        from pathlib import Path

        from airflow.sdk.configuration import conf

        from scripts.housekeeping import prune

        with as_airflow_failure():
            return prune(task_settings(), Path(conf.get("logging", "base_log_folder")))

    @task
    def prune_versions() -> list[str]:
        """Delete old model versions from the registry. Skipped if S3_BUCKET_NAME is not set."""
        from movierating.registry.registry import Registry
        from movierating.s3 import open_bucket

        if not pipeline_settings().s3_bucket_name:
            raise AirflowSkipException("S3_BUCKET_NAME is not set, so there is no registry")
        with as_airflow_failure():
            settings = task_settings()
            return Registry(open_bucket(settings)).prune(settings.keep_versions)

    @task
    def clean_metadata() -> None:
        """Delete old runs from Airflow's database. Skipped if AIRFLOW_METADATA_CONN is not set."""
        from scripts.housekeeping import clean_metadata as clean

        connection = os.environ.get("AIRFLOW_METADATA_CONN", "").strip()
        if not connection:
            raise AirflowSkipException(
                "AIRFLOW_METADATA_CONN is not set, so the database is unknown"
            )
        clean(connection, pipeline_settings().keep_days)

    @task
    def report_late_runs() -> list[str]:
        """Send a message about each late run of the daily pipeline; return the runs' names.

        A run is late after two hours, unless it waits for a person. Each run is reported once.
        """
        context: Any = get_current_context()
        late = late_runs(context["ti"], "tmdb_movie_rating_pipeline", LATE_AFTER)
        with as_airflow_failure():
            return send_new_alerts(late)

    report_late_runs()
    prune_files()
    prune_versions()
    clean_metadata()


with_clean_docs(tmdb_housekeeping())
