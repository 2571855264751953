"""Find runs of the daily pipeline that are late. Housekeeping looks for them once a day.

Airflow's own deadlines are not used. In Airflow 3.3, a failed run with a deadline cannot be cleared
(apache/airflow#70368), and a deadline does not know about failed runs, or about runs that wait for
a person.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import GetDagRun

from dags.approval import QUESTION
from dags.failures import in_words, run_address

# A run normally takes some minutes, and up to two hours when TMDB is slow. Housekeeping starts
# three hours after the daily run.
LATE_AFTER: Final = timedelta(hours=2)
_WAITS_FOR_PERSON: Final = "awaiting_input"
_ENDED: Final = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


def late_runs(instance: Any, dag_id: str, limit: timedelta) -> dict[str, str]:
    """Return a message for each late run, by a name that changes when the run is cleared.

    A run is late if it has run longer than `limit` and does not wait for a person. The time that a
    person took to answer does not count.

    Args:
        instance: The task instance that asks Airflow's API.
        dag_id: The DAG whose runs are checked.
        limit: How long a run may take.
    """
    return dict(_late(instance, dag_id, limit))


def _late(instance: Any, dag_id: str, limit: timedelta) -> Iterator[tuple[str, str]]:
    # Airflow's API for tasks cannot list runs, but it lists the tasks of all runs.
    for run_id, states in instance.get_task_states(dag_id=dag_id).items():
        unfinished = sorted(task for task, state in states.items() if state not in _ENDED)
        if not unfinished or _WAITS_FOR_PERSON in states.values():
            continue
        run: Any = task_runner.SUPERVISOR_COMMS.send(GetDagRun(dag_id=dag_id, run_id=run_id))
        if run.state != "running":  # a run that is queued waits for the run before it
            continue
        began = max(run.start_date, _answered(instance, dag_id, run_id) or run.start_date)
        if datetime.now(UTC) - began > limit:
            tasks = ", ".join(f"{task} ({states[task] or 'not started'})" for task in unfinished)
            yield (
                f"{dag_id} {run_id} {run.start_date:%Y-%m-%dT%H:%M:%S}",
                f"{dag_id}: {run_id} is late: it has run more than {in_words(limit)} and goes on; "
                f"unfinished: {tasks}\n{run_address(dag_id, run_id)}",
            )


def _answered(instance: Any, dag_id: str, run_id: str) -> datetime | None:
    """Return when a person answered the run's question; None if there was no question."""
    answer = instance.xcom_pull(task_ids=QUESTION, dag_id=dag_id, run_id=run_id)
    return answer["responded_at"] if answer else None
