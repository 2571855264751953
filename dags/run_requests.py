"""Check the parameters and the dates that a person chose for a run.

`airflow_local_settings` calls the check when a run is created. Each task calls it again, because
`dag.test()` creates a run without the first check.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final

from movierating.errors import ExplainedError
from scripts.runtime.clock import day_of, now

_CLOCKS_DIFFER: Final = timedelta(minutes=5)  # the form takes its default time from the browser
_OURS: Final = "tmdb_"  # the ids of our DAGs begin with this; others may share the installation
_OF_AIRFLOW: Final = "airflow/"  # Airflow's own settings of a run begin with this
_ONLY_TODAY: Final = "tmdb_movie_forecast"  # a forecast's date is the day it is made


class RunRefusedError(ExplainedError, ValueError):
    """A person asked for a run that cannot work. Airflow's API shows the text of a ValueError."""


def is_ours(dag_id: str) -> bool:
    """Return whether the DAG is one of this project's."""
    return dag_id.startswith(_OURS)


def check_start(run: Any) -> None:
    """Check that a requested run starts now.

    A run that waits for a later time holds up all later runs of its DAG until then.

    Raises:
        RunRefusedError: The run would start later.
    """
    if run.run_after > now() + _CLOCKS_DIFFER:
        raise RunRefusedError(
            f"the run would wait until {_minute(run.run_after)}, and the DAG's later runs with it; "
            "leave run_after empty"
        )


def check_request(run: Any, parameters: Collection[str]) -> None:
    """Check the parameters and the dates of a run.

    Args:
        run: Airflow's DAG run.
        parameters: The names of the DAG's parameters.

    Raises:
        RunRefusedError: A parameter is unknown, or a date is not allowed.
    """
    _check_names(run.dag_id, run.conf or {}, parameters)
    latest = max(now(), run.run_after)
    _check_run_date((run.conf or {}).get("run_date"), day_of(latest))
    if run.logical_date is None:
        return
    if run.logical_date > latest + _CLOCKS_DIFFER:
        raise RunRefusedError(
            f"the logical date {_minute(run.logical_date)} is in the future; choose "
            f"{_minute(latest)} or earlier, or leave it empty"
        )
    if run.dag_id == _ONLY_TODAY and day_of(run.logical_date) < day_of(run.run_after):
        raise RunRefusedError(
            f"a forecast is dated {day_of(run.run_after)}, the day it is made, and not "
            f"{day_of(run.logical_date)}; leave the logical date empty"
        )


def _check_names(dag_id: str, conf: Collection[str], parameters: Collection[str]) -> None:
    for name in conf:
        if name in parameters or name.startswith(_OF_AIRFLOW):
            continue
        if not parameters:
            raise RunRefusedError(f"{dag_id} has no parameters; remove {name}")
        similar = get_close_matches(name.lower(), parameters, n=1)
        meant = f"write {similar[0]}" if similar else "remove it"
        raise RunRefusedError(
            f"{name} is not a parameter of {dag_id}, which has {', '.join(parameters)}; {meant}"
        )


def _check_run_date(text: Any, latest: date) -> None:
    try:
        chosen = date.fromisoformat(text) if text else latest
    except (TypeError, ValueError):
        return  # Airflow reports the wrong format
    if chosen > latest:
        raise RunRefusedError(f"the run date {chosen} is in the future; choose {latest} or earlier")


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
