"""Asking the API, and reading what it answers into what the page can show."""

import logging
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

import requests

logger = logging.getLogger("page")

DEFAULT_URL: Final = "http://127.0.0.1:8000"
# Reading takes longer than the API allows itself for a translation.
CONNECT_AND_READ_SECONDS: Final = (3, 15)
NOT_FOUND: Final = 404
# What the service reads from the bucket and not from the model.
_FROM_THE_BUCKET: Final = frozenset({"/forecasts", "/track-record", "/history"})

Facts = dict[str, Any]
Answer = TypeVar("Answer")


class ApiError(Exception):
    """The API gave no answer that can be shown.

    Attributes:
        kind: The key of the texts' section `problem` that says why.
        detail: The API's own words.
        errors: Pairs of a field and what is wrong with it.
        status: Of HTTP; None where nothing came back.
    """

    def __init__(
        self,
        kind: str,
        detail: str = "",
        errors: Iterable[tuple[str, str]] = (),
        status: int | None = None,
    ) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail, self.errors, self.status = kind, detail, list(errors), status


@dataclass(frozen=True)
class Choices:
    """Names of genres and TMDB's codes of languages that the model in service tells apart."""

    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @classmethod
    def read(cls, answer: Any) -> "Choices":
        """Take them from an answer of `GET /options`."""
        return cls(
            tuple(str(genre["name"]) for genre in answer["genres"]),
            tuple(str(language["language"]) for language in answer["languages"]),
        )


@dataclass(frozen=True)
class Comparable:
    """A film like the one asked about."""

    title: str
    year: int
    rating: float


@dataclass(frozen=True)
class Forecast:
    """A forecast.

    Attributes:
        mood: Label and score.
        reasons: Groups of facts and the rating points that each adds, largest first.
        ignored: Fields that were sent and did not enter the forecast.
        warnings: Fields that are unlike all the model learned from.
        answer: The whole answer as it came.
    """

    rating: float
    low: float
    high: float
    coverage: float
    average: float
    mood: tuple[str, float] | None
    translated: bool
    read_in_korean: bool
    reasons: tuple[tuple[str, float], ...]
    comparables: tuple[Comparable, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]
    version: str
    answer: Any

    @classmethod
    def read(cls, answer: Any) -> "Forecast":
        """Take it from an answer of `POST /predict`."""
        interval, mood = answer["interval"], answer["mood"]
        return cls(
            rating=finite(answer["rating"]),
            low=finite(interval["low"]),
            high=finite(interval["high"]),
            coverage=finite(interval["coverage"]),
            average=finite(answer["average"]),
            mood=None if mood is None else (str(mood["label"]), finite(mood["score"])),
            translated=bool(answer["translated"]),
            read_in_korean=bool(answer.get("read_in_korean")),  # an older service does not say
            reasons=tuple(
                (str(each["group"]), finite(each["points"])) for each in answer["reasons"]
            ),
            comparables=tuple(
                Comparable(str(film["title"]), int(film["year"]), finite(film["rating"]))
                for film in answer["comparables"]
            ),
            warnings=_fields(answer["warnings"]),
            missing=tuple(str(field) for field in answer["missing"]),
            ignored=_fields(answer["ignored"]),
            version=str(answer["version"]),
            answer=answer,
        )


@dataclass(frozen=True)
class Scores:
    """Errors of one predictor on some films, in rating points."""

    films: int
    rmse: float
    mae: float
    bias: float

    @classmethod
    def read(cls, answer: Any) -> "Scores":
        """Take them from the scores in an answer."""
        return cls(
            int(answer["n"]),
            finite(answer["rmse"]),
            finite(answer["mae"]),
            finite(answer["bias"]),
        )


@dataclass(frozen=True)
class Model:
    """The model in service: where it comes from, and how good it is."""

    version: str
    since: datetime
    run_date: date
    family: str
    source: str
    known_films: int
    train_films: int
    split_date: date
    full: Scores
    form: Scores
    baselines: dict[str, Scores]
    coverage: float
    commit: str
    wandb_run: str | None
    registry_away: bool

    @classmethod
    def read(cls, answer: Any) -> "Model":
        """Take it from an answer of `GET /version`."""
        split, metrics = answer["split"], answer["metrics"]
        return cls(
            version=str(answer["version"]),
            since=datetime.fromisoformat(answer["since"]),
            run_date=date.fromisoformat(answer["run_date"]),
            family=str(answer["model_type"]),
            source=str(answer["data"]["source"]),
            known_films=int(answer["data"]["films"]),
            train_films=int(split["train_films"]),
            split_date=date.fromisoformat(split["split_date"]),
            full=Scores.read(metrics["holdout"]),
            form=Scores.read(metrics["form"]),
            baselines={str(name): Scores.read(each) for name, each in answer["baselines"].items()},
            coverage=finite(answer["interval_coverage"]),
            commit=str(answer["commit"]),
            wandb_run=str(answer["wandb_run"]) if answer["wandb_run"] else None,
            registry_away=bool(answer["loaded_from"] == "cache" or answer["registry_problem"]),
        )


@dataclass(frozen=True)
class Ratings:
    """How many films have their rating in each of the bins from `lowest` on, `step` wide."""

    films: int
    mean: float
    lowest: float
    step: float
    counts: tuple[int, ...]

    @classmethod
    def read(cls, answer: Any) -> "Ratings":
        """Take them from an answer of `GET /ratings`."""
        return cls(
            int(answer["films"]),
            finite(answer["mean"]),
            finite(answer["lowest"]),
            finite(answer["step"]),
            tuple(int(count) for count in answer["counts"]),
        )


@dataclass(frozen=True)
class Slice:
    """Held-out films that have something in common."""

    kind: str
    name: str
    scores: Scores
    coverage: float


@dataclass(frozen=True)
class Evidence:
    """How the model did part by part.

    Attributes:
        calibration: Mean forecast and mean rating of films of about the same forecast.
        importance: Groups of facts and the mean size of what each adds, in rating points.
    """

    slices: tuple[Slice, ...]
    calibration: tuple[tuple[float, float], ...]
    importance: tuple[tuple[str, float], ...]

    @classmethod
    def read(cls, answer: Any) -> "Evidence":
        """Take it from an answer of `GET /evidence`."""
        return cls(
            tuple(
                Slice(
                    str(each["kind"]),
                    str(each["name"]),
                    Scores.read(each["scores"]),
                    finite(each["coverage"]),
                )
                for each in answer["slices"]
            ),
            tuple(
                (finite(point["forecast"]), finite(point["rating"]))
                for point in answer["calibration"]
            ),
            tuple((str(group), finite(size)) for group, size in answer["importance"].items()),
        )


def read_names(answer: Any) -> list[str]:
    """Names from an answer of `GET /people`."""
    return [str(name) for name in answer["names"]]


def finite(value: Any) -> float:
    """A number that can be shown.

    Raises:
        ValueError: It is NaN or infinite.
    """
    if math.isfinite(number := float(value)):
        return number
    raise ValueError(f"{number} cannot be shown")


def _fields(remarks: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(remark["field"]) for remark in remarks))


def ask(
    read: Callable[[Any], Answer],
    path: str,
    facts: Facts | None = None,
    params: dict[str, str] | None = None,
) -> Answer:
    """Send facts to the API, or get what it has under a path, and read its answer.

    Raises:
        ApiError: There is no answer, or none that can be read.
    """
    answer = _request(path, facts, params)
    try:
        return read(answer.json())
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        logger.warning("the answer to %s cannot be read: %s", path, type(error).__name__)
        raise ApiError("unexpected") from None


def ask_text(path: str) -> str:
    """The text that the API has under a path.

    Raises:
        ApiError: There is no answer.
    """
    return _request(path).text


def _request(
    path: str, facts: Facts | None = None, params: dict[str, str] | None = None
) -> requests.Response:
    url = (os.environ.get("API_URL") or DEFAULT_URL).rstrip("/") + path
    method = "GET" if facts is None else "POST"
    try:
        answer = requests.request(
            method,
            url,
            json=facts,
            params=params,
            headers=_key(),
            timeout=CONNECT_AND_READ_SECONDS,
        )
    except requests.RequestException as error:
        # The type alone: the text may hold the URL, and the URL a password.
        logger.warning("no answer to %s: %s", path, type(error).__name__)
        kind = "slow" if isinstance(error, requests.Timeout) else "away"
        raise ApiError(kind) from None
    if not answer.ok:
        raise _refusal(path, answer)
    return answer


def _key() -> dict[str, str]:
    key = os.environ.get("API_KEY")
    return {"X-API-Key": key} if key else {}


def _refusal(path: str, answer: requests.Response) -> ApiError:
    """What a problem document of RFC 9457 tells, or the bare status where there is none."""
    unready = "unread" if path in _FROM_THE_BUCKET else "no_model"
    kinds = {503: unready, 422: "refused", 429: "busy", 401: "key"}
    kind = kinds.get(answer.status_code, "unexpected")
    try:
        body = answer.json()
        errors = [(str(error["field"]), str(error["message"])) for error in body["errors"]]
        return ApiError(kind, str(body["detail"]), errors, answer.status_code)
    except (KeyError, TypeError, ValueError):
        return ApiError(kind, f"HTTP {answer.status_code}", status=answer.status_code)
