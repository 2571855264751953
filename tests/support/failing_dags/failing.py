"""DAGs that fail in the ways a pipeline can fail; a real Airflow runs them in tests.

They have the callbacks and default arguments of the project's own DAGs.
"""

import errno
import os
import signal
import time
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import dag, get_current_context, task

from dags.alerts import alert_failed_run
from dags.approval import QUESTION
from dags.defaults import DEFAULT_ARGS
from dags.late_runs import late_runs

OF_ALL: dict[str, Any] = {
    "default_args": DEFAULT_ARGS | {"retries": 0},
    "on_failure_callback": alert_failed_run,
}


@dag(schedule=None, **OF_ALL)
def killed() -> None:
    """Fail because a task is killed, as the kernel does when the memory is full."""

    @task
    def train() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def deploy() -> None:
        pass

    train() >> deploy()


@dag(schedule=None, **OF_ALL)
def full_disk() -> None:
    """Fail because most instances of a mapped task meet the same full disk."""

    @task
    def fill(part: int) -> None:
        if part == 3:
            raise ValueError("TMDB refuses the key")
        if part != 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    fill.expand(part=list(range(4)))


@dag(dagrun_timeout=timedelta(seconds=15), schedule=None, **OF_ALL)
def slow() -> None:
    """Take longer than the run's time limit."""

    @task
    def check_drift() -> None:
        time.sleep(600)

    check_drift()


@dag(schedule=None, **OF_ALL)
def waiting() -> None:
    """Wait for a person; fail if this person says no."""
    question = HITLOperator(
        task_id=QUESTION,
        subject="Go on?",
        options=["Yes", "No"],
        response_timeout=timedelta(hours=1),
        execution_timeout=None,
    )

    @task
    def obey(answer: Any) -> None:
        if answer["chosen_options"] == ["No"]:
            raise ValueError("a person said no")
        time.sleep(600)

    obey(question.output)


@dag(schedule=None, **OF_ALL)
def watching() -> None:
    """Return the late runs of the DAG in the run's configuration."""

    @task
    def find() -> dict[str, str]:
        context: Any = get_current_context()
        asked = context["dag_run"].conf
        return late_runs(context["ti"], asked["watched"], timedelta(seconds=asked["seconds"]))

    find()


killed()
full_disk()
slow()
waiting()
watching()
