"""Run the commands in docs/operations.md exactly as written, in a clone of the project.

Instance A (which trains models) and instance B (which serves forecasts) run in containers on this
machine, each in its own network. Only the S3 server is in both networks.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import yaml

from ops import credentials
from ops.load import load
from ops.project import Project, run
from ops.trial import FILES, FILM, Trial
from sandbox.state import free_ports
from tests.support.images import provide_images

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
PASSWORD = "a password of the tests"
WORLD = ("movierating-world-s3", "movierating-world-tmdb")

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(3600),  # the first build downloads every package
]


def lines_of(heading: str, block: int = 0) -> list[str]:
    """Return the commands in one code block of docs/operations.md, without comments.

    Args:
        heading: The heading above the code block.
        block: The block's number under this heading, from 0.
    """
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?s)\n```\n(.+?)\n```", section)
    return [line.partition("  #")[0] for line in blocks[block].splitlines()]


@dataclass(frozen=True)
class Machine:
    """A clone of the project, in which tests run the commands in docs/operations.md."""

    folder: Path

    def type(self, line: str, given: str | None = None) -> str:
        """Run a command in a shell without our environment variables, and return its output.

        Args:
            line: The command line to run.
            given: The text for its standard input.
        """
        known = {
            name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ
        }
        done = subprocess.run(
            ["bash", "-euc", line],
            cwd=self.folder,
            env=known,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done.stdout

    @property
    def training(self) -> Trial:
        return Trial(Project("training", FILES[:1], self.folder / ".env"))

    @property
    def serving(self) -> Trial:
        return Trial(Project("serving", FILES[1:2], self.folder / ".env"))

    def ask(self, session: requests.Session) -> requests.Response:
        """Request a forecast through the proxy, as an outside client does."""
        port = self.serving.project.settings()["PUBLIC_HTTPS_PORT"]
        return session.post(
            f"https://localhost:{port}/predict",
            json=FILM,
            auth=("someone", PASSWORD),
            verify=str(self.serving.root_certificate),
            timeout=60,  # the first check of a password takes a second of processor time
        )


def clone(folder: Path) -> Path:
    """Clone this project into `folder`, and copy uncommitted changes too."""
    origin = folder.with_name("origin")
    run("git", "clone", "--quiet", "--bare", ".", str(origin))
    run("git", "clone", "--quiet", str(origin), str(folder))
    for name in run("git", "ls-files", "-mo", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def fill_in(file: Path) -> None:
    """Write the settings that an operator enters into a `.env` file.

    These are the keys for TMDB and S3, the ports, and the file with the proxy's users."""
    airflow, page, http, https = free_ports(4)
    given = {
        **credentials.TRIAL,
        **{name: credentials.new_secret() for name in credentials.OF_THE_TRIAL},
        "AIRFLOW_PORT": airflow,
        "UI_PORT": page,
        "PUBLIC_HTTP_PORT": http,
        "PUBLIC_HTTPS_PORT": https,
        "PROXY_USERS_FILE": "./proxy_users",
        "MODEL_POLL_SECONDS": 2,
    }
    values = {name: str(value) for name, value in given.items()}
    file.write_text(credentials.with_values(file.read_text(), values))


def begin_world(machine: Machine) -> None:
    """Start local imitations of S3 and TMDB at the addresses in the settings of both instances."""
    services = yaml.safe_load((ROOT / FILES[2]).read_text())["services"]
    bucket = machine.training.project.settings()["S3_BUCKET_NAME"]
    s3, tmdb = WORLD
    command = [word.replace("${S3_BUCKET_NAME}", bucket) for word in services["s3"]["command"]]
    image = services["s3"]["image"]
    begin = ("docker", "run", "--detach", "--no-healthcheck", "--network", "training_default")
    settings = str(machine.folder / ".env")
    run(*begin, "--name", s3, "--network-alias", "s3", "--env-file", settings, image, *command)
    run("docker", "network", "connect", "--alias", "s3", "serving_default", s3)
    run(*begin, "--name", tmdb, "--network-alias", "tmdb", image)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Set up instances A and B with the commands in docs/operations.md, and train a model."""
    provide_images()
    for name in ("training", "serving"):
        label = f"--filter=label=com.docker.compose.project={name}"
        if run("docker", "ps", "--all", "--quiet", label):
            pytest.skip(f"a project named {name} is here already, and is left alone")
    machine = Machine(clone(tmp_path_factory.mktemp("typed") / "movie-rating"))
    copying, *others = lines_of("Set up")
    try:
        machine.type(copying)
        fill_in(machine.folder / ".env")
        (users,) = re.findall(r"(?m)^printf .* >> proxy_users$", PAGE)
        machine.type(users, given=f"{PASSWORD}\n")
        for line in others:
            machine.type(line)
        begin_world(machine)
        machine.serving.await_version(machine.training.run_pipeline()["version"])
        yield machine
    finally:
        run("docker", "rm", "--force", "--volumes", *WORLD)
        machine.training.project.compose("down", "--volumes")
        machine.serving.project.compose("down", "--volumes")


def test_installed_service_answers_through_the_proxy(machine: Machine):
    with requests.Session() as session:
        assert machine.ask(session).json()["version"] == machine.serving.served_version()


def test_no_request_fails_while_the_api_is_replaced(machine: Machine):
    before = set(machine.serving.project.containers("api"))
    with load(machine.ask) as outcome:
        for line in lines_of("Replace the API without a gap"):
            machine.type(line)
    now = set(machine.serving.project.containers("api"))
    assert len(now) == 2
    assert not now & before
    assert outcome.answered > 0
    assert outcome.failed == 0, outcome.statuses


def test_all_generated_secrets_are_replaced_and_the_pipeline_still_runs(machine: Machine):
    old = machine.training.project.settings()
    (line,) = lines_of("Change secrets")
    machine.type(line)
    fresh = machine.training.project.settings()
    assert {name for name in old if fresh[name] != old[name]} == set(credentials.OWN)
    assert machine.training.run_pipeline()["version"]


def test_upgrade_and_its_reversal_lose_no_pipeline_run(machine: Machine):
    runs = machine.training.run_ids()
    for line in lines_of("Upgrade"):
        machine.type(line)
    assert machine.training.run_ids() == runs
    (kept,) = machine.folder.glob("airflow-*.sql")
    assert kept.stat().st_mode & 0o077 == 0
    (going_back,) = lines_of("Upgrade", block=1)
    machine.type(re.sub(r"airflow-\w+\.sql", kept.name, going_back))
    assert machine.training.run_ids() == runs
