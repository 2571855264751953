"""The scores of a model on the hold-out films, by subgroup; people read them in the UI."""

from pydantic import BaseModel, ConfigDict, Field

from movierating.registry.manifest import Scores


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class SubgroupEvidence(_Part):
    """Hold-out films that have a fact in common."""

    kind: str = Field(description="the fact: genre, language, votes or year", examples=["language"])
    name: str = Field(
        description="its value: which genre, language, votes or year", examples=["ko"]
    )
    scores: Scores
    coverage: float = Field(
        description="share of these films whose rating lies inside the 80 % interval"
    )


class CalibrationPoint(_Part):
    """Hold-out films with about the same forecast; both means are from 0 to 10."""

    forecast: float = Field(description="mean forecast")
    rating: float = Field(description="mean rating")
    films: int


class Evidence(_Part):
    """Scores of a model on the hold-out films.

    Attributes:
        slices: Scores by subgroup.
        calibration: Mean forecast and mean rating, by size of the forecast.
        importance: By feature group, the mean absolute contribution in rating points.
    """

    # The stored name; everywhere else a part of the hold-out films is a subgroup.
    slices: tuple[SubgroupEvidence, ...]
    calibration: tuple[CalibrationPoint, ...]
    importance: dict[str, float]
