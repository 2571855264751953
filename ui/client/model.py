"""Parse the description of the model in service: `GET /version` and `GET /evidence`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ui.client.api import finite


@dataclass(frozen=True)
class Errors:
    """Error measures of one predictor (a model or a baseline), in rating points.

    Attributes:
        films: The number of films on which they were measured.
        bias: The mean of forecast minus rating.
    """

    films: int
    rmse: float
    mae: float
    bias: float

    @classmethod
    def parse(cls, body: Any) -> "Errors":
        """Parse the error measures of one predictor in a response."""
        return cls(
            int(body["n"]),
            finite(body["rmse"]),
            finite(body["mae"]),
            finite(body["bias"]),
        )


@dataclass(frozen=True)
class Model:
    """A description of the model in service: its origin and its errors.

    Attributes:
        since: When the version was put into production.
        family: The kind of model, such as `lgbm`.
        source: Where the films come from.
        known_films: The number of films that were collected.
        full: Errors on the hold-out films if the model knows all facts.
        form: Errors on the same films if it knows only the four main facts of the form.
        baselines: Errors of each naive baseline on the same films, by the baseline's name.
        coverage: The fraction of the hold-out films whose rating lies in the 80 % interval.
        registry_away: Whether the service possibly runs an older model than the one in production,
            because it cannot load that one from the registry.
    """

    version: str
    since: datetime
    run_date: date
    family: str
    source: str
    known_films: int
    train_films: int
    split_date: date
    full: Errors
    form: Errors
    baselines: dict[str, Errors]
    coverage: float
    commit: str
    wandb_run: str | None
    registry_away: bool

    @classmethod
    def parse(cls, body: Any) -> "Model":
        """Parse a response of `GET /version`."""
        split, metrics = body["split"], body["metrics"]
        return cls(
            version=str(body["version"]),
            since=datetime.fromisoformat(body["since"]),
            run_date=date.fromisoformat(body["run_date"]),
            family=str(body["model_type"]),
            source=str(body["data"]["source"]),
            known_films=int(body["data"]["films"]),
            train_films=int(split["train_films"]),
            split_date=date.fromisoformat(split["split_date"]),
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
    """The model's errors on the hold-out films with one property in common.

    Attributes:
        kind: The kind of property, such as `genre`.
        name: Its value, such as `Drama`.
        coverage: The fraction of these films whose rating lies in the 80 % interval.
    """

    kind: str
    name: str
    errors: Errors
    coverage: float


@dataclass(frozen=True)
class Evidence:
    """Details of the model's errors on the hold-out films, which it was not trained on.

    Attributes:
        calibration: Pairs of mean forecast and mean rating, for films grouped by their forecast.
        importance: Pairs of a feature group and the mean size of its contribution to a forecast,
            in rating points.
    """

    subgroups: tuple[HoldoutSubgroup, ...]
    calibration: tuple[tuple[float, float], ...]
    importance: tuple[tuple[str, float], ...]

    @classmethod
    def parse(cls, body: Any) -> "Evidence":
        """Parse a response of `GET /evidence`."""
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
        )
