"""Drills on a trial that `python -m ops.trial up` started: `python -m ops.drills NAME`.

Each does to a trial what may happen to the real system, holds it to what must then be true, and
returns figures. They need a trial that runs and has a model in service.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import requests

from ops import credentials, upgrade
from ops.arguments import parser_of, project_of, told
from ops.load import load
from ops.project import EngineError, run
from ops.replace import replace
from ops.rotate import rotate
from ops.training import AIRFLOW, command, execute
from ops.trial import FILES, Trial

_TRAINING: Final = ("postgres", "airflow-migrate", *AIRFLOW)
_VOLUMES: Final = ("database", "logs", "data-prepare")
_WELCOME: Final = requests.codes.ok
_REFUSED: Final = requests.codes.unauthorized
_BEFORE: Final = "3.2.0"  # a version of Airflow whose database is another


class DrillError(AssertionError):
    """What must be true after a drill is not."""


def restore_training(trial: Trial) -> dict[str, Any]:
    """Lose instance A with its disk, and make it anew from the bucket and the settings."""
    version, codes = trial.served_version(), _codes(trial)
    began = time.monotonic()
    trial.project.compose("rm", "--force", "--stop", *_TRAINING)
    for name in _VOLUMES:
        run("docker", "volume", "rm", f"{trial.project.name}_{name}")
    _hold(trial.served_version() == version, "the service does not notice that A is gone")
    trial.start()
    deployment = trial.run_pipeline()
    now = _codes(trial)
    _hold(
        all(now[kind][: len(names)] == names for kind, names in codes.items()),
        "codes that consumers have seen stay what they were",
    )
    return {"seconds": _since(began), "deployed": deployment["version"]}


def replace_serving(trial: Trial) -> dict[str, Any]:
    """Replace the API's replicas while forecasts are asked for through the proxy."""
    with load(trial.ask_the_proxy) as outcome:
        time.sleep(2)
        began = time.monotonic()
        fresh = replace(trial.project)
        seconds = _since(began)
        time.sleep(2)
    _hold(outcome.answered > 0 and outcome.failed == 0, f"no request failed: {outcome.statuses}")
    return {
        "seconds": seconds,
        "replicas": len(fresh),
        "answered": outcome.answered,
        "failed": outcome.failed,
    }


def rotate_secrets(trial: Trial) -> dict[str, Any]:
    """Make every secret anew; the old ones open nothing, and both instances go on."""
    old = trial.project.settings()
    began = time.monotonic()
    _rotate_foreign(trial)
    rotate(trial.project)
    trial.let_in()
    trial.start()
    trial.project.compose("restart", "proxy")
    fresh = trial.project.settings()
    rotated = (*credentials.OWN, *credentials.OF_THE_TRIAL)
    _hold(all(fresh[name] != old[name] for name in rotated), "every secret is another")
    _hold(not _signs_in(trial, old["AIRFLOW_ADMIN_PASSWORD"]), "the old password is refused")
    _hold(not _opens_database(trial, old["POSTGRES_PASSWORD"]), "the database refuses the old one")
    _hold(_opens_database(trial, fresh["POSTGRES_PASSWORD"]), "the database takes the new one")
    _hold(_comes_in(trial, old["PROXY_PASSWORD"]) == _REFUSED, "the proxy refuses the old one")
    _hold(_comes_in(trial, fresh["PROXY_PASSWORD"]) == _WELCOME, "the proxy takes the new one")
    deployment = trial.run_pipeline()
    return {"seconds": _since(began), "rotated": len(rotated), "deployed": deployment["version"]}


def roll_back(trial: Trial) -> dict[str, Any]:
    """Publish another model, find it bad, and go back to the one before."""
    before = trial.served_version()
    _hold(before is not None, "a version is in service")
    later = trial.promote_another()
    trial.await_version(later)
    began = time.monotonic()
    trial.registry("rollback", "--reason", "drill: forecasts are off")
    trial.await_version(str(before))
    return {"seconds": _since(began), "from": later, "to": before}


def upgrade_database(trial: Trial) -> dict[str, Any]:
    """Start on a database of an earlier Airflow; it is kept, migrated, and its runs are there."""
    runs = trial.run_ids()
    _hold(bool(runs), "there are runs to keep")
    trial.project.compose("stop", *AIRFLOW)
    command(trial.project, "airflow", "db", "downgrade", "--yes", "--to-version", _BEFORE)
    backup = trial.project.env_file.with_name("airflow-drill.sql")
    began = time.monotonic()
    upgrade.upgrade(trial.project, backup, build=False)
    seconds = _since(began)
    _hold(trial.run_ids() == runs, "the runs are there after the upgrade")
    began = time.monotonic()
    upgrade.go_back(trial.project, backup)
    _hold(trial.run_ids() == runs, "the runs are there after going back")
    _mend_deadlines(trial)
    return {"seconds": seconds, "seconds_back": _since(began), "runs": len(runs)}


DRILLS: Final[dict[str, Callable[[Trial], dict[str, Any]]]] = {
    each.__name__: each
    for each in (replace_serving, roll_back, upgrade_database, rotate_secrets, restore_training)
}


def _mend_deadlines(trial: Trial) -> None:
    # Airflow 3.3 migrates a deadline of 3.2 to whole seconds, which its own reader refuses: no run
    # could be started. Ours were never in a database of 3.2 but for this drill.
    execute(
        trial.project,
        r"""UPDATE deadline_alert SET interval =
        regexp_replace(interval::text, '("__data__" ?: ?[0-9]+)}', '\1.0}')::json;""",
    )


def _rotate_foreign(trial: Trial) -> None:
    """New keys of TMDB and S3, as their owners would give them, and the proxy's password."""
    file = trial.project.env_file
    text = file.read_text()
    fresh = credentials.completed(text, trial=True, rotate=credentials.OF_THE_TRIAL)
    credentials.write(file, credentials.with_values(text, fresh))


def _codes(trial: Trial) -> dict[str, list[str]]:
    answer = requests.get(f"{trial.api_url()}/options", timeout=10).json()
    return {
        "genres": [each["name"] for each in answer["genres"]],
        "languages": [each["language"] for each in answer["languages"]],
    }


def _signs_in(trial: Trial, password: str) -> bool:
    answer = requests.post(
        f"{trial.url('AIRFLOW_PORT')}/auth/token",
        json={"username": "admin", "password": password},
        timeout=30,
    )
    return answer.ok


def _opens_database(trial: Trial, password: str) -> bool:
    script = "read -r PGPASSWORD; export PGPASSWORD; exec psql -h postgres -U airflow -c 'SELECT 1'"
    try:
        trial.project.compose("exec", "-T", "postgres", "sh", "-c", script, typed=f"{password}\n")
    except EngineError:
        return False
    return True


def _comes_in(trial: Trial, password: str) -> int:
    with requests.Session() as session:
        return trial.ask_the_proxy(session, password).status_code


def _hold(is_true: bool, what: str) -> None:
    if not is_true:
        raise DrillError(f"not true: {what}")


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)


parser = parser_of(
    "ops.drills", (__doc__ or "").partition(":")[0], "trial", *FILES, env_file="trial.env"
)
parser.add_argument("drill", choices=DRILLS, help="which")


def main(argv: list[str] | None = None) -> int:
    """Do one drill; its figures are the last line."""
    options = parser.parse_args(argv)

    def work() -> str:
        return json.dumps(DRILLS[options.drill](Trial(project_of(options))))

    return told(work, DrillError, requests.RequestException)


if __name__ == "__main__":
    sys.exit(main())
