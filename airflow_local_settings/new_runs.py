"""Refuse a run that cannot work when it is created, before it waits or holds up other runs.

The form, the REST API and the command line then show the reason, and there is no run. Without this,
Airflow accepts any parameter; and a run with a logical date in the future would wait for this date,
and all later runs of the DAG would wait with it. Airflow can check the values of parameters, but
neither their names nor dates.
"""

from typing import Any

_NOT_REQUESTED = frozenset({"scheduled", "asset_triggered"})  # created by the scheduler itself


def task_instance_mutation_hook(task_instance: Any, dag_run: Any = None) -> None:
    """Check the run whose task instance Airflow is creating; Airflow's name for such a function.

    Airflow calls this for each task instance, also in the scheduler. There an error would stop the
    scheduler, so only a run that does not exist yet is checked.

    Raises:
        RunRefusedError: The run cannot work.
    """
    if dag_run is None or dag_run.state != "queued" or dag_run.run_type in _NOT_REQUESTED:
        return
    # Imported here, because Airflow imports this module while it is being loaded itself.
    from sqlalchemy import inspect

    from dags.run_requests import check_request, check_start, is_ours

    if is_ours(dag_run.dag_id) and not inspect(task_instance).persistent:
        check_start(dag_run)
        check_request(dag_run, dag_run.get_dag().params)
