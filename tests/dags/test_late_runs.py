from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

RUN_ID = "manual__2026-11-23"
HOUR = timedelta(hours=1)


@pytest.fixture
def late(pipeline: ModuleType) -> ModuleType:  # noqa: ARG001 - Airflow is set up first
    from dags import late_runs

    return late_runs


class Instance(SimpleNamespace):
    """Imitates Airflow's task instance: the tasks of one run, and the answer of a person."""

    def get_task_states(self, dag_id: str) -> dict[str, dict[str, str | None]]:
        assert dag_id == "nightly"
        return {RUN_ID: self.states}

    def xcom_pull(self, **asked: Any) -> Any:
        assert asked == {"task_ids": "approve_promotion", "dag_id": "nightly", "run_id": RUN_ID}
        return self.answer


@pytest.fixture
def found(late: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """Return a function that creates a run and returns the messages about late runs.

    The function takes the run's task states, state, age, and the age of a person's answer."""

    def find(
        states: dict[str, str | None],
        state: str = "running",
        age: timedelta = 5 * HOUR,
        answered: timedelta | None = None,
    ) -> list[str]:
        now = datetime.now(UTC)
        run = SimpleNamespace(state=state, start_date=now - age)
        airflow = SimpleNamespace(send=lambda _: run)
        monkeypatch.setattr(late.task_runner, "SUPERVISOR_COMMS", airflow, raising=False)
        answer = {"responded_at": now - answered} if answered else None
        return list(
            late.late_runs(Instance(states=states, answer=answer), "nightly", 2 * HOUR).values()
        )

    return find


def test_message_names_the_unfinished_tasks(found):
    (said,) = found({"collect": "success", "train": "running", "deploy": None})
    first, address = said.splitlines()
    assert first == (
        f"nightly: {RUN_ID} is late: it has run more than 2 hours and goes on; "
        "unfinished: deploy (not started), train (running)"
    )
    assert address.endswith(f"/dags/nightly/runs/{RUN_ID}")


@pytest.mark.parametrize(
    "case",
    [
        {"states": {"collect": "failed", "train": "upstream_failed"}, "state": "failed"},
        {"states": {"approve_promotion": "awaiting_input", "deploy": None}},
        {"states": {"deploy": "running"}, "answered": HOUR},
        {"states": {"collect": None}, "state": "queued"},
        {"states": {"train": "running"}, "state": "failed"},
        {"states": {"train": "running"}, "age": HOUR},
    ],
    ids=["failed", "waits", "answered", "queued", "stopped", "young"],
)
def test_run_is_not_late_if_it(found, case: dict[str, Any]):
    assert found(**case) == []


def test_run_is_late_long_after_the_answer(found):
    assert found({"deploy": "running"}, age=9 * HOUR, answered=3 * HOUR)
