"""Read the description of the model in service, which is the model that the API uses now.

It is in the API's responses to `GET /version` and `GET /evidence`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ui.client.api import finite
from ui.client.reliability import Narrowing, Reliability


@dataclass(frozen=True)
class Errors:
    """The errors of the forecasts by a model or by a baseline, in rating points.

    Attributes:
        films: The number of films for which the errors were measured.
        rmse: The root mean square of the errors.
        mae: The mean absolute error.
        bias: The mean of (forecast minus rating).
    """

    films: int
    rmse: float
    mae: float
    bias: float

    @classmethod
    def parse(cls, body: Any) -> "Errors":
        """Convert the errors of one model or baseline in a response from the API."""
        return cls(
            int(body["n"]),
            finite(body["rmse"]),
            finite(body["mae"]),
            finite(body["bias"]),
        )


@dataclass(frozen=True)
class Model:
    """The model that the API uses now: its origin and its errors.

    Attributes:
        since: The time at which the model version was put into production.
        family: The kind of model, such as `lgbm`.
        source: Where the films for the training come from.
        known_films: The number of films that were collected.
        train_films: The number of films on which the model was trained.
        split_date: The errors are measured on films released on this day or later, by a model that
            was trained on earlier films.
        known_until: The last day on which a training film may be released, if the model was trained
            again on all films after the measuring; None if the measured model itself is in service.
        full: The errors on the hold-out films if the model gets all facts about them.
        form: The errors on the same films if the model gets only the four main facts of the form.
        baselines: The errors of each naive baseline on the same films, by the baseline's name.
        coverage: The fraction of the hold-out films whose rating lies in the 80 % interval.
        registry_away: Whether the API has failed to read a model from the model registry. Then it
            may use an older model than the one in production.
    """

    version: str
    since: datetime
    run_date: date
    family: str
    source: str
    known_films: int
    train_films: int
    split_date: date
    known_until: date | None
    full: Errors
    form: Errors
    baselines: dict[str, Errors]
    coverage: float
    commit: str
    wandb_run: str | None
    registry_away: bool

    @classmethod
    def parse(cls, body: Any) -> "Model":
        """Convert the API's response to `GET /version`."""
        split, refit, metrics = body["split"], body.get("refit"), body["metrics"]
        return cls(
            version=str(body["version"]),
            since=datetime.fromisoformat(body["since"]),
            run_date=date.fromisoformat(body["run_date"]),
            family=str(body["model_type"]),
            source=str(body["data"]["source"]),
            known_films=int(body["data"]["films"]),
            train_films=int((refit or split)["train_films"]),
            split_date=date.fromisoformat(split["split_date"]),
            known_until=date.fromisoformat(refit["until"]) if refit else None,
            full=Errors.parse(metrics["holdout"]),
            form=Errors.parse(metrics["form"]),
            baselines={str(name): Errors.parse(each) for name, each in body["baselines"].items()},
            coverage=finite(body["interval_coverage"]),
            commit=str(body["commit"]),
            wandb_run=str(body["wandb_run"]) if body["wandb_run"] else None,
            registry_away=bool(body["loaded_from"] == "cache" or body["registry_problem"]),
        )


@dataclass(frozen=True)
class HoldoutSubgroup:
    """The model's errors on those hold-out films that have one property in common.

    Attributes:
        kind: The kind of the property, such as `genre`.
        name: The value of the property, such as `Drama`.
        errors: The errors on these films.
        coverage: The fraction of these films whose rating lies in the 80 % interval.
    """

    kind: str
    name: str
    errors: Errors
    coverage: float


@dataclass(frozen=True)
class Evidence:
    """More about the model's errors on the hold-out films (before it was trained on them).

    Attributes:
        calibration: Pairs of mean forecast and mean rating, for films grouped by their forecast.
        importance: Pairs of a feature group, such as the genre, and its importance. The importance
            is the mean absolute contribution to a forecast, in rating points.
        subgroups: The errors on films with one property in common.
        reliability: How good forecasts have been by language and genre, on more films than those of
            `subgroups`. Empty for older model versions.
        narrowing: By how much each fact narrows the interval. Empty for older model versions.
    """

    subgroups: tuple[HoldoutSubgroup, ...]
    calibration: tuple[tuple[float, float], ...]
    importance: tuple[tuple[str, float], ...]
    reliability: tuple[Reliability, ...]
    narrowing: tuple[Narrowing, ...]

    @classmethod
    def parse(cls, body: Any) -> "Evidence":
        """Convert the API's response to `GET /evidence`."""
        return cls(
            tuple(
                HoldoutSubgroup(
                    str(each["kind"]),
                    str(each["name"]),
                    Errors.parse(each["scores"]),
                    finite(each["coverage"]),
                )
                for each in body["slices"]
            ),
            tuple(
                (finite(point["forecast"]), finite(point["rating"]))
                for point in body["calibration"]
            ),
            tuple((str(group), finite(size)) for group, size in body["importance"].items()),
            tuple(map(Reliability.parse, body.get("reliability", ()))),
            tuple(map(Narrowing.parse, body.get("narrowing", ()))),
        )
