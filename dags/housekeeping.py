"""Prune files, logs, old versions and Airflow's database daily, so that nothing ever fills."""

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import tell_of_timeout
from dags.defaults import DEFAULT_ARGS
from dags.run_context import explained
from movierating.settings import pipeline_settings


@dag(
    dag_id="tmdb_housekeeping",
    description="Prunes working files, old versions, logs and Airflow's database",
    schedule=CronTriggerTimetable(
        "0 6 * * *",
        timezone=pipeline_settings().pipeline_timezone,
        run_immediately=timedelta(minutes=10),
    ),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=DEFAULT_ARGS,
    on_failure_callback=tell_of_timeout,
    tags=["housekeeping"],
    doc_md=__doc__,
)
def tmdb_housekeeping() -> None:
    """Files, the registry and the database, independently."""

    @task
    def prune_files() -> int:
        """Delete old working files, W&B folders and logs; returns the bytes freed."""
        from pathlib import Path

        from airflow.sdk.configuration import conf

        from scripts.housekeeping import prune

        with explained():
            return prune(pipeline_settings(), Path(conf.get("logging", "base_log_folder")))

    @task
    def prune_versions() -> list[str]:
        """Delete old versions of the model; skipped where S3_BUCKET_NAME is unset."""
        from movierating.registry.registry import Registry
        from movierating.s3 import open_bucket

        settings = pipeline_settings()
        if not settings.s3_bucket_name:
            raise AirflowSkipException("S3_BUCKET_NAME is not set, so there is no registry")
        with explained():
            return Registry(open_bucket(settings)).prune(settings.keep_versions)

    @task
    def clean_metadata() -> None:
        """Delete old runs from Airflow's database; skipped where AIRFLOW_METADATA_CONN is unset."""
        from scripts.housekeeping import clean_metadata as clean

        connection = os.environ.get("AIRFLOW_METADATA_CONN")
        if not connection:
            raise AirflowSkipException("AIRFLOW_METADATA_CONN does not say where the database is")
        clean(connection, pipeline_settings().keep_days)

    prune_files()
    prune_versions()
    clean_metadata()


tmdb_housekeeping()
