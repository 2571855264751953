"""What the API tells of the model in service, read into what the page can show."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ui.client.api import finite


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
