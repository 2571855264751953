"""The part of Airflow's REST interface that `make up` needs."""

import time
from collections.abc import Iterator
from typing import Any, Final

import requests

DAG: Final = "tmdb_movie_rating_pipeline"
_TIMEOUT_SECONDS: Final = 30


class AirflowClient:
    """Airflow as one user, by HTTP."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """Log in.

        Raises:
            requests.RequestException: Airflow is not there, or refuses.
        """
        self._url = url
        self._session = requests.Session()
        answer = self._session.post(
            f"{url}/auth/token",
            json={"username": user, "password": password},
            timeout=_TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def knows_dag(self) -> bool:
        """Whether the DAG has been parsed."""
        return self._request("GET", "").ok

    def import_errors(self) -> list[str]:
        """Why DAG files could not be read."""
        answer = self._session.get(f"{self._url}/api/v2/importErrors", timeout=_TIMEOUT_SECONDS)
        return [each["stack_trace"] for each in answer.json()["import_errors"]]

    def trigger(self) -> str:
        """Unpause the DAG and start a run now; returns its id."""
        self._request("PATCH", "", json={"is_paused": False}).raise_for_status()
        answer = self._request("POST", "/dagRuns", json={"logical_date": None})
        answer.raise_for_status()
        run_id: str = answer.json()["dag_run_id"]
        return run_id

    def follow(self, run_id: str) -> Iterator[tuple[str, str]]:
        """Each task with its state whenever that changes, until the run has ended."""
        seen: dict[str, str] = {}
        while True:
            state = self._request("GET", f"/dagRuns/{run_id}").json()["state"]
            for task in self._tasks(run_id):
                name, now = task["task_id"], task["state"] or "waiting"
                if seen.get(name) != now:
                    seen[name] = now
                    yield name, now
            if state in {"success", "failed"}:
                return
            time.sleep(1)

    def progress(self, run_id: str, task: str) -> str:
        """The latest line that a task has logged, or nothing."""
        answer = self._request("GET", f"/dagRuns/{run_id}/taskInstances/{task}/logs/1")
        if not answer.ok:
            return ""
        events = [line.get("event", "") for line in answer.json()["content"] if "logger" in line]
        return str(events[-1]) if events else ""

    def result(self, run_id: str, task: str) -> Any:
        """What a task returned."""
        path = f"/dagRuns/{run_id}/taskInstances/{task}/xcomEntries/return_value"
        return self._request("GET", path).json()["value"]

    def _tasks(self, run_id: str) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = self._request(
            "GET", f"/dagRuns/{run_id}/taskInstances"
        ).json()["task_instances"]
        return sorted(tasks, key=lambda task: task["start_date"] or "9")

    def _request(self, method: str, path: str, **content: Any) -> requests.Response:
        return self._session.request(
            method, f"{self._url}/api/v2/dags/{DAG}{path}", timeout=_TIMEOUT_SECONDS, **content
        )
