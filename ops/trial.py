"""Both instances in containers on this machine: `python -m ops.trial up`, and `down`.

S3 and TMDB are played by the sandbox. `up` makes the settings that are missing, starts everything,
runs the pipeline, and shows a forecast of the model that it published.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import requests

from ops import credentials
from ops.arguments import parser_of, project_of, told
from ops.project import ROOT, EngineError, Project, run, wait
from sandbox.airflow import DAG, AirflowClient

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
FORECASTS: Final = "tmdb_movie_forecast"
_PROXY_USER: Final = "trial"
_CERTIFICATES: Final = "/data/caddy/pki/authorities/local"
_LATEST_BUNDLE: Final = (
    "import json, pathlib; folders = sorted(pathlib.Path('data-prepare').glob('bundle_*')); "
    "print(json.loads((folders[-1] / 'manifest.json').read_text())['version'])"
)
_SERVING_SECONDS: Final = 120
_PARSED_SECONDS: Final = 240
_BEGUN_SECONDS: Final = 60
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

    def airflow(self, dag: str = DAG) -> AirflowClient:
        """A DAG of Airflow, signed in to with the password of the settings."""
        password = self.project.settings()["AIRFLOW_ADMIN_PASSWORD"]
        return AirflowClient(self.url("AIRFLOW_PORT"), "admin", password, dag)

    def start(self, *options: str) -> None:
        """Start what does not run, or runs with other settings."""
        self.project.compose("up", "-d", *options)

    def let_in(self) -> None:
        """Write the proxy's user, with the hash that the proxy's own program makes."""
        settings = self.project.settings()
        file = ROOT / settings["PROXY_USERS_FILE"]
        file.touch()  # or the engine would make a folder of that name
        hashing = ("run", "--rm", "--no-deps", "-T", "proxy", "caddy", "hash-password")
        hashed = self.project.compose(*hashing, typed=f"{settings['PROXY_PASSWORD']}\n")
        file.write_text(f"{_PROXY_USER} {hashed}\n")

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
        _follow(airflow, run_id)
        deployment: dict[str, Any] = airflow.result(run_id, "deploy_model_to_s3")
        return deployment

    def await_forecasts(self) -> int:
        """Wait for the run that a published model starts; of how many films it wrote.

        Raises:
            EngineError: It did not begin, or a task failed.
        """
        airflow = self.airflow(FORECASTS)
        wait("the forecasts have begun", lambda: bool(airflow.run_ids()), _BEGUN_SECONDS)
        run_id = airflow.run_ids()[-1]
        _follow(airflow, run_id)
        written: int = airflow.result(run_id, "forecast_upcoming_films")
        return written

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

    def certificate(self, name: str) -> str:
        """One by which the proxy signs for `localhost`, nobody's name: `root`, `intermediate`."""
        return self.project.compose("exec", "-T", "proxy", "cat", f"{_CERTIFICATES}/{name}.crt")

    @cached_property
    def root_certificate(self) -> Path:
        """The file with the one to trust."""
        file = self.project.env_file.with_name("proxy-root.crt")
        file.write_text(self.certificate("root"))
        return file

    def proxy_user(self) -> tuple[str, str]:
        """The name and the password that the proxy asks for."""
        return _PROXY_USER, self.project.settings()["PROXY_PASSWORD"]

    def ask_the_proxy(
        self, session: requests.Session, password: str | None = None
    ) -> requests.Response:
        """Ask for a forecast as the world does: by name, with TLS and a password."""
        name, usual = self.proxy_user()
        return session.post(
            f"https://localhost:{self.project.settings()['PUBLIC_HTTPS_PORT']}/predict",
            json=FILM,
            auth=(name, password or usual),
            verify=str(self.root_certificate),
            timeout=_REQUEST_SECONDS,
        )


def new_trial(
    name: str, env_file: Path, files: tuple[str, ...] = FILES, **settings: str | int
) -> Trial:
    """A trial with settings of its own beside those that the file has; nothing runs yet."""
    text = env_file.read_text() if env_file.exists() else ""
    text = credentials.with_values(text, {key: str(value) for key, value in settings.items()})
    made = credentials.completed(text, trial=True)
    credentials.write(env_file, credentials.with_values(text, made))
    return Trial(Project(name, files, env_file))


def up(project: Project) -> str:
    """Start a trial, bring it to its first forecast, and say where it is."""
    trial = new_trial(project.name, project.env_file, project.files)
    trial.let_in()
    trial.start("--build")
    trial.await_version(trial.run_pipeline()["version"])
    settings = project.settings()
    return (
        f"page      https://localhost:{settings['PUBLIC_HTTPS_PORT']}\n"
        f"          for {_PROXY_USER} with PROXY_PASSWORD of {project.env_file.name}\n"
        f"Airflow   {trial.url('AIRFLOW_PORT')}\n"
        f"          for admin with AIRFLOW_ADMIN_PASSWORD\n"
        f"forecast  {trial.forecast()['rating']:.2f} by {trial.served_version()}"
    )


def down(project: Project) -> str:
    """End a trial, with all that it wrote."""
    project.compose("down", "--volumes")
    return "the trial has ended"


def _follow(airflow: AirflowClient, run_id: str) -> None:
    for news in airflow.follow(run_id):
        if news.state == "failed":
            raise EngineError(f"{news.task} failed: {news.words}")


COMMANDS: Final[dict[str, Callable[[Project], str]]] = {"up": up, "down": down}
parser = parser_of(
    "ops.trial", (__doc__ or "").partition(":")[0], "trial", *FILES, env_file="trial.env"
)
parser.add_argument("command", choices=COMMANDS)


def main(argv: list[str] | None = None) -> int:
    """Start or end a trial."""
    options = parser.parse_args(argv)
    project = project_of(options)
    return told(lambda: COMMANDS[options.command](project), requests.RequestException)


if __name__ == "__main__":
    sys.exit(main())
