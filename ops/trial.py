"""Run the whole system in containers on this machine: `python -m ops.trial up` or `down`.

This is the container trial. It runs the services of instance A (training) and of instance B
(serving). Local imitations replace TMDB and S3. The command `up` generates the missing settings
and starts all containers. Then it runs the pipeline, and prints a forecast from the new model. The
command `down` stops the containers and deletes their data.
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
from ops.arguments import parser_of, project_of, run_and_report
from ops.project import ROOT, EngineError, Project, run, wait
from ops.sessions import local_session
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
    """The container trial: instances A and B run in containers on this machine.

    Local imitations replace TMDB and S3.

    Attributes:
        project: The Docker Compose project with all containers of the trial.
    """

    project: Project

    def url(self, setting: str) -> str:
        """Return the address of a service, given the setting with its port, such as `UI_PORT`."""
        return f"http://127.0.0.1:{self.project.settings()[setting]}"

    def api_url(self) -> str:
        """Return the address of the API's oldest replica; the Docker engine has chosen its port."""
        return f"http://{run('docker', 'port', self.project.containers('api')[0], '8000/tcp')}"

    def airflow(self, dag: str = DAG) -> AirflowClient:
        """Return a client for one DAG in the trial's Airflow, logged in as the administrator."""
        password = self.project.settings()["AIRFLOW_ADMIN_PASSWORD"]
        return AirflowClient(self.url("AIRFLOW_PORT"), "admin", password, dag)

    def start(self, *options: str) -> None:
        """Start every stopped service; restart every service whose settings have changed.

        Args:
            options: Further options for `docker compose up`.
        """
        self.project.compose("up", "-d", *options)

    def write_proxy_user(self) -> None:
        """Write the file with the users that the proxy accepts: one user with a hashed password."""
        # The proxy's own program hashes the password, so the hash has the format it expects.
        settings = self.project.settings()
        file = ROOT / settings["PROXY_USERS_FILE"]
        file.touch()  # if it were missing, the engine would create a folder with its name
        hashing = ("run", "--rm", "--no-deps", "-T", "proxy", "caddy", "hash-password")
        hashed = self.project.compose(*hashing, typed=f"{settings['PROXY_PASSWORD']}\n")
        file.write_text(f"{_PROXY_USER} {hashed}\n")

    def run_ids(self) -> list[str]:
        """Return the ids of all pipeline runs in the trial's Airflow, the oldest first."""
        return self.airflow().run_ids()

    def registry(self, *arguments: str) -> None:
        """Run the program `scripts.registry` in a container of instance A (training).

        Args:
            arguments: The program's arguments: a command, such as `rollback`, and its options.
        """
        command = ("python", "-m", "scripts.registry", *arguments)
        self.project.compose("exec", "-T", "airflow-scheduler", *command)

    def promote_another(self) -> str:
        """Train a new model version on twice as many films, and put it into production.

        Returns:
            The name of the new version.
        """
        more = str(2 * int(self.project.settings()["COLLECT_MAX_FILMS"]))
        step = ("exec", "-T", "-e", f"COLLECT_MAX_FILMS={more}", "airflow-scheduler", "python")
        for name in ("collect", "preprocess", "train", "deploy"):
            self.project.compose(*step, "-m", f"scripts.{name}")
        version = self.project.compose(*step, "-c", _LATEST_BUNDLE)
        # The deployment step compares the new version with the one in production. If it refuses the
        # new version, an operator's command promotes it.
        if self.served_version() != version:
            self.registry("promote", version, "--reason", "trial of another version")
        return version

    def run_pipeline(self, **parameters: str) -> dict[str, Any]:
        """Run the pipeline in the trial's Airflow, and wait for its end.

        Args:
            parameters: The parameters of the run, such as `run_date`.

        Returns:
            The result of the deployment step: `version` (the new model version), `promoted`
            (whether it is in production now) and `reason`.

        Raises:
            EngineError: A task failed. The error message contains the task's last log line.
        """
        airflow = self.airflow()
        wait("the DAG is parsed", airflow.knows_dag, _PARSED_SECONDS)
        run_id = airflow.trigger(**parameters)
        _follow(airflow, run_id)
        deployment: dict[str, Any] = airflow.result(run_id, "deploy_model_to_s3")
        return deployment

    def await_forecasts(self) -> int:
        """Wait until all upcoming films are forecast with the new model.

        Airflow starts this forecast run when a new model is in production.

        Returns:
            The number of forecasts.

        Raises:
            EngineError: The run did not start in time, or a task failed.
        """
        airflow = self.airflow(FORECASTS)
        wait(
            "a run of the forecast ledger has started",
            lambda: bool(airflow.run_ids()),
            _BEGUN_SECONDS,
        )
        run_id = airflow.run_ids()[-1]
        _follow(airflow, run_id)
        written: int = airflow.result(run_id, "forecast_upcoming_films")
        return written

    def served_version(self) -> str | None:
        """Return the model version that the API serves.

        The result is None if the API has no model or does not answer.
        """
        try:
            with local_session() as session:
                answer = session.get(f"{self.api_url()}/version", timeout=_REQUEST_SECONDS)
        except (requests.RequestException, EngineError, IndexError):
            return None
        return str(answer.json()["version"]) if answer.ok else None

    def await_version(self, version: str) -> float:
        """Wait until the API serves the given model version; return the seconds it took.

        Raises:
            EngineError: The API did not serve this version in time.
        """
        began = time.monotonic()
        wait(f"{version} is in service", lambda: self.served_version() == version, _SERVING_SECONDS)
        return time.monotonic() - began

    def forecast(self) -> dict[str, Any]:
        """Request the forecast for a sample film directly from the API, and return the answer.

        Raises:
            requests.HTTPError: The API answered with an error.
        """
        address = f"{self.api_url()}/predict"
        with local_session() as session:
            answer = session.post(address, json=FILM, timeout=_REQUEST_SECONDS)
        answer.raise_for_status()
        forecast: dict[str, Any] = answer.json()
        return forecast

    def certificate(self, name: str) -> str:
        """Read a certificate of the proxy's own certificate authority.

        This authority has signed the certificate that the proxy uses for `localhost`.

        Args:
            name: The name of the certificate: `root` or `intermediate`.
        """
        return self.project.compose("exec", "-T", "proxy", "cat", f"{_CERTIFICATES}/{name}.crt")

    @cached_property
    def root_certificate(self) -> Path:
        """The path of a file with the root certificate of the proxy's certificate authority.

        A client that connects to the proxy by HTTPS must trust this certificate.
        """
        file = self.project.env_file.with_name("proxy-root.crt")
        file.write_text(self.certificate("root"))
        return file

    def proxy_user(self) -> tuple[str, str]:
        """Return the user name and the password that the proxy accepts."""
        return _PROXY_USER, self.project.settings()["PROXY_PASSWORD"]

    def ask_proxy(
        self, session: requests.Session, password: str | None = None
    ) -> requests.Response:
        """Request a forecast by HTTPS through the proxy, as a client on the internet does.

        Args:
            session: The HTTP session with which the request is sent.
            password: The password to send to the proxy; None for the valid password.
        """
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
    """Prepare a container trial without starting it: write its settings file.

    Args:
        name: The name of the Docker Compose project.
        env_file: The settings file. Missing settings and secrets are generated and added.
        files: The Compose files.
        settings: New values for settings in the file.
    """
    text = env_file.read_text() if env_file.exists() else ""
    text = credentials.with_values(text, {key: str(value) for key, value in settings.items()})
    made = credentials.completed(text, trial=True)
    credentials.write(env_file, credentials.with_values(text, made))
    return Trial(Project(name, files, env_file))


def up(project: Project) -> str:
    """Start the container trial and run the pipeline once.

    Returns:
        A text for the user: the addresses of the services, and a forecast from the new model.
    """
    trial = new_trial(project.name, project.env_file, project.files)
    trial.write_proxy_user()
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
    """Stop the containers of the trial, delete their data, and return a text for the user."""
    project.compose("down", "--volumes")
    return "the trial has ended"


def _follow(airflow: AirflowClient, run_id: str) -> None:
    """Wait until the DAG run with the id `run_id` has ended.

    Raises:
        EngineError: A task failed. The error message contains the task's last log line.
    """
    for news in airflow.follow(run_id):
        if news.state == "failed":
            raise EngineError(f"{news.task} failed: {news.words}")


COMMANDS: Final[dict[str, Callable[[Project], str]]] = {"up": up, "down": down}
parser = parser_of(
    "ops.trial", (__doc__ or "").partition(":")[0], "trial", *FILES, env_file="trial.env"
)
parser.add_argument("command", choices=COMMANDS)


def main(argv: list[str] | None = None) -> int:
    """Run the command line: `up` starts the container trial, `down` ends it."""
    options = parser.parse_args(argv)
    project = project_of(options)
    return run_and_report(lambda: COMMANDS[options.command](project), requests.RequestException)


if __name__ == "__main__":
    sys.exit(main())
