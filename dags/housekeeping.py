"""Delete old files, logs, model versions and Airflow runs daily, so that no disk fills up."""

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import alert_timeout
from dags.defaults import DEFAULT_ARGS
from dags.run_context import as_airflow_failure
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
    on_failure_callback=alert_timeout,
    tags=["housekeeping"],
    doc_md=__doc__,
)
def tmdb_housekeeping() -> None:
    """Clean up files, model registry and Airflow's database, in three independent tasks."""

    @task
    def prune_files() -> int:
        """Delete old files in the working folder, W&B folders and logs; return the freed bytes."""
        from pathlib import Path

        from airflow.sdk.configuration import conf

        from scripts.housekeeping import prune

        with as_airflow_failure():
            return prune(pipeline_settings(), Path(conf.get("logging", "base_log_folder")))

    @task
    def prune_versions() -> list[str]:
        """Delete old model versions from the registry. Skipped if S3_BUCKET_NAME is not set."""
        from movierating.registry.registry import Registry
        from movierating.s3 import open_bucket

        settings = pipeline_settings()
        if not settings.s3_bucket_name:
            raise AirflowSkipException("S3_BUCKET_NAME is not set, so there is no registry")
        with as_airflow_failure():
            return Registry(open_bucket(settings)).prune(settings.keep_versions)

    @task
    def clean_metadata() -> None:
        """Delete old runs from Airflow's database. Skipped if AIRFLOW_METADATA_CONN is not set."""
        from scripts.housekeeping import clean_metadata as clean

        connection = os.environ.get("AIRFLOW_METADATA_CONN")
        if not connection:
            raise AirflowSkipException(
                "AIRFLOW_METADATA_CONN is not set, so the database is unknown"
            )
        clean(connection, pipeline_settings().keep_days)

    prune_files()
    prune_versions()
    clean_metadata()


tmdb_housekeeping()
