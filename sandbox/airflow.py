"""A client for Airflow's REST API, with the requests that `make up` and `make trial` need."""

import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import requests
from urllib3 import Retry

from movierating.time_limits import LimitedAdapter

DAG: Final = "tmdb_movie_rating_pipeline"
FORECAST_DAG: Final = "tmdb_movie_forecast"
HOUSEKEEPING_DAG: Final = "tmdb_housekeeping"
TMDB_POOL: Final = "tmdb"
TMDB_POOL_DESCRIPTION: Final = "One slot for each request to TMDB per second"
_TIMEOUT_SECONDS: Final = 30
_POLL_SECONDS: Final = 1
# Airflow's API server may be restarting, or its SQLite database may be locked for a moment.
_RETRIES: Final = Retry(total=6, backoff_factor=0.5, status_forcelist=[500, 502, 503, 504])
_ENDED: Final = frozenset({"success", "failed", "upstream_failed", "skipped"})


class TaskNews(NamedTuple):
    """A change of a task in a DAG run.

    Attributes:
        task: The task's name.
        state: The task's new state, such as "running" or "success".
        words: The task's last log line.
    """

    task: str
    state: str
    words: str


class AirflowClient:
    """A client for one of Airflow's DAGs, logged in as one user."""

    def __init__(self, url: str, user: str, password: str, dag: str = DAG) -> None:
        """Log in to Airflow.

        Args:
            url: Airflow's address.
            user: The user's name.
            password: The user's password.
            dag: The name of the DAG that the methods of this client refer to.

        Raises:
            requests.RequestException: Airflow does not answer, or refuses the password.
        """
        self._url = url
        self._dag = dag
        self._session = requests.Session()
        self._session.mount("http://", LimitedAdapter(_TIMEOUT_SECONDS, max_retries=_RETRIES))
        answer = self._session.post(
            f"{url}/auth/token",
            json={"username": user, "password": password},
            timeout=_TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def knows_dag(self) -> bool:
        """Return whether Airflow has read the DAG's file, so that the DAG can be started."""
        return self._request("GET", "").ok

    def import_errors(self) -> list[str]:
        """Return the error (a stack trace) for each DAG file that Airflow could not import."""
        answer = self._session.get(f"{self._url}/api/v2/importErrors", timeout=_TIMEOUT_SECONDS)
        return [each["stack_trace"] for each in answer.json()["import_errors"]]

    def set_pool(self, slots: int) -> None:
        """Set the size of Airflow's pool `tmdb`, which limits the requests to TMDB.

        The pool is created if it does not exist.

        Args:
            slots: The size. A slot stands for one request to TMDB per second.
        """
        pool = {
            "name": TMDB_POOL,
            "slots": slots,
            "description": TMDB_POOL_DESCRIPTION,
            "include_deferred": False,
        }
        url = f"{self._url}/api/v2/pools"
        # Airflow's API cannot create or update in one request. Usually the pool already exists.
        answer = self._session.patch(f"{url}/{TMDB_POOL}", json=pool, timeout=_TIMEOUT_SECONDS)
        if answer.status_code == requests.codes.not_found:
            answer = self._session.post(url, json=pool, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()

    def unpause(self) -> None:
        """Switch the DAG on, so that Airflow starts it on its schedule."""
        self._request("PATCH", "", json={"is_paused": False}).raise_for_status()

    def trigger(self, **conf: str | int) -> str:
        """Switch the DAG on, and start a run of it immediately.

        Args:
            conf: The parameters of the run.

        Returns:
            The id of the run.

        Raises:
            requests.HTTPError: Airflow refuses the parameters; the message is Airflow's reason.
        """
        self.unpause()
        answer = self._request("POST", "/dagRuns", json={"logical_date": None, "conf": conf})
        if answer.status_code == requests.codes.bad_request:
            raise requests.HTTPError(answer.json()["detail"], response=answer)
        answer.raise_for_status()
        run_id: str = answer.json()["dag_run_id"]
        return run_id

    def follow(self, run_id: str) -> Iterator[TaskNews]:
        """Yield a message each time a task changes its state or its last log line.

        The messages end when the DAG run has ended.
        """
        seen: dict[str, TaskNews] = {}
        while True:
            # Read the run's state before its tasks', so that the last changes are not missed.
            has_ended = self._request("GET", f"/dagRuns/{run_id}").json()["state"] in _ENDED
            for news in self._news(run_id, seen):
                seen[news.task] = news
                yield news
            if has_ended:
                return
            time.sleep(_POLL_SECONDS)

    def run_ids(self) -> list[str]:
        """Return the ids of all runs of the DAG, the oldest first."""
        runs = self._request("GET", "/dagRuns", params={"order_by": "id"}).json()["dag_runs"]
        return [each["dag_run_id"] for each in runs]

    def conf(self, run_id: str) -> dict[str, Any]:
        """Return the parameters with which a DAG run was started."""
        conf: dict[str, Any] = self._request("GET", f"/dagRuns/{run_id}").json()["conf"]
        return conf

    def asset_events(self) -> list[dict[str, Any]]:
        """Return all asset events that Airflow has recorded, the oldest first.

        An example of such an event is a new model in production.
        """
        answer = self._session.get(f"{self._url}/api/v2/assets/events", timeout=_TIMEOUT_SECONDS)
        events: list[dict[str, Any]] = answer.json()["asset_events"]
        return events

    def result(self, run_id: str, task: str) -> Any:
        """Return the value that a task returned (its XCom) in a DAG run."""
        path = f"/dagRuns/{run_id}/taskInstances/{task}/xcomEntries/return_value"
        return self._request("GET", path).json()["value"]

    def mapped(self, run_id: str, task: str) -> list[dict[str, Any]]:
        """Return all instances of a mapped task in a DAG run.

        Airflow starts a mapped task several times in one run, with different arguments. For each
        instance, the result has its name, its start time and its end time.
        """
        path = f"/dagRuns/{run_id}/taskInstances/{task}/listMapped"
        instances: list[dict[str, Any]] = self._request("GET", path).json()["task_instances"]
        return instances

    def _news(self, run_id: str, seen: dict[str, TaskNews]) -> Iterator[TaskNews]:
        tasks = self._request("GET", f"/dagRuns/{run_id}/taskInstances").json()["task_instances"]
        # A task without a start date has not done anything yet.
        for task in sorted(tasks, key=lambda task: task["start_date"] or ""):
            name, state = _name(task), task["state"] or "waiting"
            before = seen.get(name)
            if not task["start_date"] or (before and before.state == state in _ENDED):
                continue
            news = TaskNews(name, state, self._last_words(run_id, task))
            if news != before:
                yield news

    def _last_words(self, run_id: str, task: dict[str, Any]) -> str:
        path = f"/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        answer = self._request("GET", path, params={"map_index": task["map_index"]})
        if not answer.ok:
            return ""
        words = [_words(line) for line in answer.json()["content"] if isinstance(line, dict)]
        return next(filter(None, reversed(words)), "")

    def _request(self, method: str, path: str, **content: Any) -> requests.Response:
        return self._session.request(
            method,
            f"{self._url}/api/v2/dags/{self._dag}{path}",
            timeout=_TIMEOUT_SECONDS,
            **content,
        )


def _name(task: dict[str, Any]) -> str:
    """Return a task's name, such as `train_model`.

    If Airflow has started the task several times in this run, the name has a number: `task[2]`.
    """
    number = task["map_index"]
    return task["task_id"] if number < 0 else f"{task['task_id']}[{number}]"


def _words(line: dict[str, Any]) -> str:
    """Return the text of a log line that is interesting for the user.

    These are error messages and messages from the package `scripts`. For other log lines, the
    result is empty.
    """
    if errors := line.get("error_detail"):
        return str(errors[-1]["exc_value"])
    return str(line["event"]) if str(line.get("logger", "")).startswith("scripts.") else ""
