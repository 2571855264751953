"""Practise an operation or a recovery on the container trial: `python -m ops.drills NAME`.

The container trial runs instance A (training) and instance B (serving) in containers on this
machine. Each drill causes an event that can also happen to the real system, such as the loss of a
disk. Then it checks that the system works again, and returns measured values, such as the seconds
it took. Before a drill, start the container trial: `python -m ops.trial up`.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import requests

from ops import credentials, upgrade
from ops.arguments import parser_of, project_of, run_and_report
from ops.load import load
from ops.project import EngineError, run
from ops.replace import replace
from ops.rotate import rotate
from ops.sessions import local_session
from ops.training import AIRFLOW, command, execute
from ops.trial import FILES, Trial

_TRAINING: Final = ("postgres", "airflow-migrate", *AIRFLOW)
_VOLUMES: Final = ("database", "logs", "data-prepare")
_ACCEPTED: Final = requests.codes.ok
_REFUSED: Final = requests.codes.unauthorized
_BEFORE: Final = "3.2.0"  # the last version of Airflow with a different database schema


class DrillError(AssertionError):
    """A check of a drill has failed, for example because the API refused a request."""


def restore_training(trial: Trial) -> dict[str, Any]:
    """Delete instance A (training) with its disk, and restore it from S3 and the settings file.

    Returns:
        The seconds until the restored pipeline has trained and deployed a model, and the version
        of this model.
    """
    version, codes = trial.served_version(), _codes(trial)
    began = time.monotonic()
    trial.project.compose("rm", "--force", "--stop", *_TRAINING)
    for name in _VOLUMES:
        run("docker", "volume", "rm", f"{trial.project.name}_{name}")
    _check(trial.served_version() == version, "the API keeps serving without instance A")
    trial.start()
    deployment = trial.run_pipeline()
    # Clients of the old API have stored these codes, so new codes may only follow the old ones.
    now = _codes(trial)
    _check(
        all(now[kind][: len(names)] == names for kind, names in codes.items()),
        "genre and language codes are as before",
    )
    return {"seconds": _since(began), "deployed": deployment["version"]}


def replace_serving(trial: Trial) -> dict[str, Any]:
    """Replace every replica of the API, and check that no request fails in the meantime.

    The requests come from clients outside, through the proxy.

    Returns:
        The seconds it took, the number of new replicas, and the numbers of answered and of failed
        requests.
    """
    with load(trial.ask_proxy) as outcome:
        time.sleep(2)
        began = time.monotonic()
        fresh = replace(trial.project)
        seconds = _since(began)
        time.sleep(2)
    _check(outcome.answered > 0 and outcome.failed == 0, f"no request failed: {outcome.statuses}")
    return {
        "seconds": seconds,
        "replicas": len(fresh),
        "answered": outcome.answered,
        "failed": outcome.failed,
    }


def rotate_secrets(trial: Trial) -> dict[str, Any]:
    """Replace every secret, check that the old ones are refused, and run the pipeline again.

    Returns:
        The seconds it took, the number of replaced secrets, and the model version that the pipeline
        has deployed afterwards.
    """
    old = trial.project.settings()
    began = time.monotonic()
    _rotate_foreign_keys(trial)
    rotate(trial.project)
    trial.write_proxy_user()
    trial.start()
    trial.project.compose("restart", "proxy")
    fresh = trial.project.settings()
    rotated = (*credentials.OWN, *credentials.OF_THE_TRIAL)
    _check(all(fresh[name] != old[name] for name in rotated), "every secret has changed")
    _check(
        not _can_sign_in(trial, old["AIRFLOW_ADMIN_PASSWORD"]), "Airflow refuses the old password"
    )
    _check(
        not _can_open_database(trial, old["POSTGRES_PASSWORD"]),
        "the database refuses the old password",
    )
    _check(
        _can_open_database(trial, fresh["POSTGRES_PASSWORD"]),
        "the database accepts the new password",
    )
    _check(
        _proxy_status(trial, old["PROXY_PASSWORD"]) == _REFUSED,
        "the proxy refuses the old password",
    )
    _check(
        _proxy_status(trial, fresh["PROXY_PASSWORD"]) == _ACCEPTED,
        "the proxy accepts the new password",
    )
    deployment = trial.run_pipeline()
    return {"seconds": _since(began), "rotated": len(rotated), "deployed": deployment["version"]}


def roll_back(trial: Trial) -> dict[str, Any]:
    """Put another model version into production, then roll back to the previous version.

    Returns:
        The seconds until the API serves the previous version again, and the names of the two
        versions.
    """
    before = trial.served_version()
    _check(before is not None, "a version is in service")
    later = trial.promote_another()
    trial.await_version(later)
    began = time.monotonic()
    trial.registry("rollback", "--reason", "drill: forecasts are off")
    trial.await_version(str(before))
    return {"seconds": _since(began), "from": later, "to": before}


def upgrade_database(trial: Trial) -> dict[str, Any]:
    """Upgrade the database of an older Airflow version, then restore the backup of this database.

    Both times, the drill checks that Airflow still knows all pipeline runs.

    Returns:
        The seconds that the upgrade and the restoration took, and the number of pipeline runs.
    """
    runs = trial.run_ids()
    _check(bool(runs), "there are runs")
    trial.project.compose("stop", *AIRFLOW)
    command(trial.project, "airflow", "db", "downgrade", "--yes", "--to-version", _BEFORE)
    backup = trial.project.env_file.with_name("airflow-drill.sql")
    began = time.monotonic()
    upgrade.upgrade(trial.project, backup, build=False)
    seconds = _since(began)
    _check(trial.run_ids() == runs, "the runs are there after the upgrade")
    began = time.monotonic()
    upgrade.go_back(trial.project, backup)
    _check(trial.run_ids() == runs, "the runs are there after going back")
    _repair_deadlines(trial)
    return {"seconds": seconds, "seconds_back": _since(began), "runs": len(runs)}


DRILLS: Final[dict[str, Callable[[Trial], dict[str, Any]]]] = {
    each.__name__: each
    for each in (replace_serving, roll_back, upgrade_database, rotate_secrets, restore_training)
}


def _repair_deadlines(trial: Trial) -> None:
    # Airflow 3.3 has a bug: its migration from 3.2 writes deadlines that Airflow cannot read
    # afterwards, and then no run starts. Only this drill needs the repair, because no real
    # deployment had deadlines under Airflow 3.2.
    execute(
        trial.project,
        r"""UPDATE deadline_alert SET interval =
        regexp_replace(interval::text, '("__data__" ?: ?[0-9]+)}', '\1.0}')::json;""",
    )


def _rotate_foreign_keys(trial: Trial) -> None:
    """Replace three kinds of secrets in the settings file.

    These are the key for TMDB, the keys for S3, and the password for the proxy.
    """
    file = trial.project.env_file
    text = file.read_text()
    fresh = credentials.completed(text, trial=True, rotate=credentials.OF_THE_TRIAL)
    credentials.write(file, credentials.with_values(text, fresh))


def _codes(trial: Trial) -> dict[str, list[str]]:
    with local_session() as session:
        answer = session.get(f"{trial.api_url()}/options", timeout=10).json()
    return {
        "genres": [each["name"] for each in answer["genres"]],
        "languages": [each["language"] for each in answer["languages"]],
    }


def _can_sign_in(trial: Trial, password: str) -> bool:
    url = f"{trial.url('AIRFLOW_PORT')}/auth/token"
    with local_session() as session:
        return session.post(url, json={"username": "admin", "password": password}, timeout=30).ok


def _can_open_database(trial: Trial, password: str) -> bool:
    # By host name, because PostgreSQL accepts local connections without a password.
    script = "read -r PGPASSWORD; export PGPASSWORD; exec psql -h postgres -U airflow -c 'SELECT 1'"
    try:
        trial.project.compose("exec", "-T", "postgres", "sh", "-c", script, typed=f"{password}\n")
    except EngineError:
        return False
    return True


def _proxy_status(trial: Trial, password: str) -> int:
    with local_session() as session:
        return trial.ask_proxy(session, password).status_code


def _check(is_true: bool, statement: str) -> None:
    if not is_true:
        raise DrillError(f"not true: {statement}")


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)


parser = parser_of(
    "ops.drills", (__doc__ or "").partition(":")[0], "trial", *FILES, env_file="trial.env"
)
parser.add_argument("drill", choices=DRILLS, help="the drill to run")


def main(argv: list[str] | None = None) -> int:
    """Run one drill, and print its measured values as one line of JSON."""
    options = parser.parse_args(argv)

    def work() -> str:
        return json.dumps(DRILLS[options.drill](Trial(project_of(options))))

    return run_and_report(work, DrillError, requests.RequestException)


if __name__ == "__main__":
    sys.exit(main())
