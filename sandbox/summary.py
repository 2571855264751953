"""Print the summary at the end of `make up`.

It has the errors of the new model, a forecast, and the addresses of the services.
"""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import requests

from movierating.errors import ExplainedError
from movierating.films.source import describe
from movierating.settings import Settings
from movierating.time_limits import limited_session
from sandbox.programs import AIRFLOW_USER
from sandbox.state import HOST, Secrets

_SAMPLE: Final = {
    "overview": "A gifted young cook returns to her village by the sea and wins back the trust "
    "of a family that had given up hope.",
    "genres": ["Drama"],
    "language": "ko",
    "runtime": 112,
}

_ANSWER_SECONDS: Final = 10

Say = Callable[[str], None]


class StepError(ExplainedError, RuntimeError):
    """A step of `make up` failed.

    The error message names the step, and says where its log file is or what the user can do.
    """


def addresses(settings: Settings) -> dict[str, str]:
    """Return the local addresses of three services: `api`, `page` (the UI) and `airflow`."""
    return {
        "api": f"http://{HOST}:{settings.api_port}",
        "page": f"http://{HOST}:{settings.ui_port}",
        "airflow": f"http://{HOST}:{settings.airflow_port}",
    }


def served_version(settings: Settings) -> str | None:
    """Return the model version that the API serves.

    The result is None if the API has no model or does not answer.
    """
    version = _version(settings)
    return version["version"] if version else None


def has_films(settings: Settings) -> bool:
    """Return whether the API has read the film catalogue."""
    try:
        with limited_session(_ANSWER_SECONDS) as session:
            return session.get(f"{addresses(settings)['api']}/v1/films?limit=1").ok
    except requests.RequestException:
        return False


def print_summary(settings: Settings, keys: Secrets, say: Say) -> None:
    """Print the model's errors on the hold-out films, a forecast, and the services' addresses.

    Raises:
        StepError: The API has no model.
    """
    version = _version(settings)
    if version is None:
        raise StepError("no version is in production, so the API has no model to serve")
    _print_scores(version, say)
    _print_forecast(settings, say)
    urls = addresses(settings)
    _print_film(urls["api"], say)
    say(f"\n  page     {urls['page']}")
    say(f"  API      {urls['api']}/docs")
    say(f"  Airflow  {urls['airflow']}   ({AIRFLOW_USER} / {keys.airflow_password})")
    say("\nmake down stops everything")


def _print_scores(version: dict[str, Any], say: Say) -> None:
    holdout = version["metrics"]["holdout"]
    say(f"\nversion {version['version']} ({version['model_type']})")
    say(f"trained on {describe(version['data']['source'])}, measured on")
    say(f"{holdout['n']} films from {version['split']['split_date']} on:")
    for name, each in ({"this model": holdout} | version["baselines"]).items():
        say(f"  {name:<12} RMSE {each['rmse']:.3f}   MAE {each['mae']:.3f}   R2 {each['r2']:+.2f}")


def _print_forecast(settings: Settings, say: Say) -> None:
    url = f"{addresses(settings)['api']}/predict"
    with limited_session(_ANSWER_SECONDS) as session:
        forecast = session.post(url, json=_SAMPLE).json()
    low, high = forecast["interval"]["low"], forecast["interval"]["high"]
    say(f"\na Korean drama of 112 minutes: {forecast['rating']} of 10 (80 %: {low} to {high})")


def _print_film(api: str, say: Say) -> None:
    """Print the address at which the film that is released next is found by its title."""
    with limited_session(_ANSWER_SECONDS) as session:
        answer = session.get(f"{api}/v1/films?status=upcoming&limit=1")
    films: list[dict[str, Any]] = answer.json()["films"] if answer.ok else []
    if films and films[0]["title"]:
        say(f"a film by its title: {api}/v1/films?{urlencode({'q': films[0]['title']})}")


def _version(settings: Settings) -> dict[str, Any] | None:
    try:
        with limited_session(_ANSWER_SECONDS) as session:
            answer = session.get(f"{addresses(settings)['api']}/version")
    except requests.RequestException:
        return None
    version: dict[str, Any] | None = answer.json() if answer.ok else None
    return version
