"""Parse the description of the model in service: `GET /version` and `GET /evidence`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ui.client.api import finite


@dataclass(frozen=True)
class Errors:
    """Errors of one predictor on some films, in rating points."""

    films: int
    rmse: float
    mae: float
    bias: float

    @classmethod
    def parse(cls, body: Any) -> "Errors":
        """Parse one set of errors in a response."""
        return cls(
            int(body["n"]),
            finite(body["rmse"]),
            finite(body["mae"]),
            finite(body["bias"]),
        )


@dataclass(frozen=True)
class Model:
    """The model in service: its origin and its errors.

    Attributes:
        full: Errors on the hold-out films with all facts known.
        form: Errors on the same films with only the form's four main facts known.
        registry_away: Whether the service cannot reach the registry and uses its cached model.
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
    """Hold-out films with one property in common, such as a genre or a language."""

    kind: str
    name: str
    errors: Errors
    coverage: float


@dataclass(frozen=True)
class Evidence:
    """Details of the model's errors on the hold-out films, which it was not trained on.

    Attributes:
        calibration: Mean forecast and mean rating of films grouped by forecast.
        importance: Feature groups and the mean size of their contribution, in rating points.
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
