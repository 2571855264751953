import logging
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout

RUN_ID = "manual__2026-11-23T12:00:00+00:00"
ADDRESS = "http://localhost:8080/dags/nightly/runs/manual__2026-11-23T12%3A00%3A00%2B00%3A00"


@pytest.fixture
def failures(pipeline: ModuleType) -> ModuleType:  # noqa: ARG001 - Airflow is set up first
    from dags import failures

    return failures


class Instance(SimpleNamespace):
    """Imitates Airflow's task instance: `states` are of the whole run, `kept` are its XComs."""

    dag_id, run_id, task_id, map_index = "nightly", RUN_ID, "fill", 2

    def get_task_states(self, **_: Any) -> dict[str, dict[str, str]]:
        return {RUN_ID: self.states}

    def xcom_push(self, key: str, value: str) -> None:
        self.kept[key] = value

    def xcom_pull(self, task_ids: str, map_indexes: int | None, key: str) -> str | None:
        reason: str | None = self.kept.get((task_ids, map_indexes, key))
        return reason


DAG = SimpleNamespace(
    dag_id="nightly",
    dagrun_timeout=timedelta(hours=4),
    task_dict=dict.fromkeys(["plan", "fill", "fill_up", "finish"]),
)
TASK = SimpleNamespace(dag=DAG, execution_timeout=timedelta(hours=3))


def context(instance: Instance | None, **more: Any) -> dict[str, Any]:
    return {"dag": DAG, "run_id": RUN_ID, "reason": "task_failure"} | {
        "task_instance": instance,
        "task": TASK,
        **more,
    }


@pytest.fixture
def fallback_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://localhost:8080/")


@pytest.mark.usefixtures("fallback_address")
def test_message_names_each_failed_task_with_its_error_and_the_runs_page(failures: ModuleType):
    kept = {("fill", index, failures.REASON): "the disk is full" for index in (0, 1, 2, 10)}
    states = {f"fill_{index}": "failed" for index in (0, 1, 2, 4, 10)}
    states |= {"fill_3": "success", "fill_up": "failed", "plan": "success"}
    states |= {"finish": "upstream_failed"}
    instance = Instance(task=TASK, states=states, kept=kept)
    assert failures.failed_run(context(instance)) == (
        f"nightly: {RUN_ID} failed in fill[0-2, 4, 10], fill_up\n"
        "fill[0-2, 10]: the disk is full\n"
        "fill[4], fill_up: it left no error: it was killed, or a person marked it as failed\n"
        f"{ADDRESS}"
    )


@pytest.mark.usefixtures("fallback_address")
def test_message_about_a_stopped_run_says_where_it_was(failures: ModuleType):
    states = {"fill_0": "failed", "fill_1": "success", "fill_2": "skipped"}
    kept = {("fill", 0, failures.REASON): "the disk is full"}
    instance = Instance(task=TASK, states=states, kept=kept)
    assert failures.failed_run(context(instance, reason="timed_out")) == (
        f"nightly: {RUN_ID} was stopped before fill[2] had ended, because the run took more than "
        "4 hours; before that, fill[0] failed\n"
        "fill[0]: the disk is full\n"
        f"{ADDRESS}"
    )


@pytest.mark.usefixtures("fallback_address")
@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("all_tasks_deadlocked", "failed (all_tasks_deadlocked)"),
        ("timed_out", "was stopped, because the run took more than 4 hours"),
    ],
)
def test_message_is_sent_even_if_no_task_is_known(failures: ModuleType, reason: str, outcome: str):
    said = failures.failed_run(context(None, reason=reason))
    assert said == f"nightly: {RUN_ID} {outcome}\n{ADDRESS}"


@pytest.mark.usefixtures("fallback_address")
def test_message_about_a_thousand_failed_instances_reads_few_errors(failures: ModuleType):
    states = {f"fill_{index}": "failed" for index in range(1000)}
    instance = Instance(task=TASK, states=states, kept={})
    first, second, *_ = failures.failed_run(context(instance)).splitlines()
    assert first.endswith("failed in fill[0-999]")
    assert second.startswith("fill[0-19]: ")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("TMDB refuses\nthe key"), "TMDB refuses the key"),
        (KeyError(), "KeyError"),
        (AirflowTaskTimeout("Timeout, PID: 123"), "it took more than 3 hours"),
        (RuntimeError("x" * 400), "x" * 300 + "..."),
    ],
)
def test_error_of_a_task_is_logged_in_one_line_and_kept(
    failures: ModuleType, caplog: pytest.LogCaptureFixture, error: BaseException, reason: str
):
    instance = Instance(kept={})
    with caplog.at_level(logging.ERROR):
        failures.keep_reason(context(instance, exception=error))
    assert caplog.messages == [f"fill[2] of {RUN_ID} failed for good: {reason}"]
    assert instance.kept == {failures.REASON: reason}


def test_killed_task_has_no_error_to_keep(failures: ModuleType):
    instance = Instance(kept={})
    failures.keep_reason(context(instance))
    assert instance.kept == {}
