"""A trial of both instances, as whoever uses them sees it: by HTTP."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from ops import credentials
from ops.project import EngineError, Project, run, wait
from sandbox.airflow import AirflowClient

FILES: Final = (
    "docker-compose-airflow.yaml",
    "docker-compose-fastapi.yaml",
    "docker-compose-trial.yaml",
)
FILM: Final[dict[str, Any]] = {
    "genres": ["Drama"],
    "language": "ko",
    "runtime": 112,
    "overview": "A gifted young cook returns to her village by the sea.",
}
PROXY_USER: Final = ("trial", "trial")  # who stands in the file PROXY_USERS_FILE
_LATEST_BUNDLE: Final = (
    "import json, pathlib; folders = sorted(pathlib.Path('data-prepare').glob('bundle_*')); "
    "print(json.loads((folders[-1] / 'manifest.json').read_text())['version'])"
)
_SERVING_SECONDS: Final = 120
_PARSED_SECONDS: Final = 240
_REQUEST_SECONDS: Final = 10


@dataclass(frozen=True)
class Trial:
    """A running trial."""

    project: Project

    def url(self, setting: str) -> str:
        """The address of what listens on the port of a setting."""
        return f"http://127.0.0.1:{self.project.settings()[setting]}"

    def api_url(self) -> str:
        """The address of a replica of the API, the oldest."""
        return f"http://{run('docker', 'port', self.project.containers('api')[0], '8000/tcp')}"

    def airflow(self) -> AirflowClient:
        """Airflow, signed in to with the password of the settings."""
        password = self.project.settings()["AIRFLOW_ADMIN_PASSWORD"]
        return AirflowClient(self.url("AIRFLOW_PORT"), "admin", password)

    def start(self) -> None:
        """Start what does not run, or runs with other settings."""
        self.project.compose("up", "-d")

    def run_ids(self) -> list[str]:
        """The runs that Airflow knows of."""
        return self.airflow().run_ids()

    def registry(self, *arguments: str) -> None:
        """Move the registry by its own commands, where instance A runs."""
        command = ("python", "-m", "scripts.registry", *arguments)
        self.project.compose("exec", "-T", "airflow-scheduler", *command)

    def promote_another(self) -> str:
        """Learn from more films and put what comes of it into production by hand; its name."""
        more = str(2 * int(self.project.settings()["COLLECT_MAX_FILMS"]))
        step = ("exec", "-T", "-e", f"COLLECT_MAX_FILMS={more}", "airflow-scheduler", "python")
        for name in ("collect", "preprocess", "train", "deploy"):
            self.project.compose(*step, "-m", f"scripts.{name}")
        version = self.project.compose(*step, "-c", _LATEST_BUNDLE)
        if self.served_version() != version:
            self.registry("promote", version, "--reason", "trial of another version")
        return version

    def run_pipeline(self, **parameters: str) -> dict[str, Any]:
        """Run the DAG to its end; what its deployment returned.

        Raises:
            EngineError: A task failed; the message has its last words.
        """
        airflow = self.airflow()
        wait("the DAG is parsed", airflow.knows_dag, _PARSED_SECONDS)
        run_id = airflow.trigger(**parameters)
        for news in airflow.follow(run_id):
            if news.state == "failed":
                raise EngineError(f"{news.task} failed: {news.words}")
        deployment: dict[str, Any] = airflow.result(run_id, "deploy_model_to_s3")
        return deployment

    def served_version(self) -> str | None:
        """The version that answers; None if none does."""
        try:
            answer = requests.get(f"{self.api_url()}/version", timeout=_REQUEST_SECONDS)
        except (requests.RequestException, EngineError, IndexError):
            return None
        return str(answer.json()["version"]) if answer.ok else None

    def await_version(self, version: str) -> float:
        """Wait until a version answers; the seconds it took."""
        began = time.monotonic()
        wait(f"{version} answers", lambda: self.served_version() == version, _SERVING_SECONDS)
        return time.monotonic() - began

    def forecast(self) -> dict[str, Any]:
        """A forecast of one film.

        Raises:
            requests.HTTPError: The service answered with an error.
        """
        address = f"{self.api_url()}/predict"
        answer = requests.post(address, json=FILM, timeout=_REQUEST_SECONDS)
        answer.raise_for_status()
        forecast: dict[str, Any] = answer.json()
        return forecast

    def ask_the_proxy(self, session: requests.Session) -> requests.Response:
        """Ask for a forecast as the world does: by name, with TLS and a password."""
        settings = self.project.settings()
        address = f"https://localhost:{settings['PUBLIC_HTTPS_PORT']}/predict"
        # The certificate is the proxy's own, since `localhost` is nobody's name.
        return session.post(
            address, json=FILM, auth=PROXY_USER, verify=False, timeout=_REQUEST_SECONDS
        )


def new_trial(name: str, env_file: Path, **settings: str | int) -> Trial:
    """A trial with settings of its own; nothing runs yet."""
    text = credentials.with_values("", {key: str(value) for key, value in settings.items()})
    made = credentials.completed(text, trial=True)
    credentials.write(env_file, credentials.with_values(text, made))
    return Trial(Project(name, FILES, env_file))
