"""A model's scores on the hold-out films, by subgroup such as genre or language, for the UI."""

from pydantic import BaseModel, ConfigDict, Field

from movierating.registry.manifest import Scores


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class SubgroupEvidence(_Part):
    """The scores on one subgroup: hold-out films with one fact in common, such as the language."""

    kind: str = Field(description="the fact: genre, language, votes or year", examples=["language"])
    name: str = Field(
        description="its value: which genre, language, votes or year", examples=["ko"]
    )
    scores: Scores
    coverage: float = Field(
        description="share of these films whose rating lies inside the 80 % interval"
    )


class CalibrationPoint(_Part):
    """A group of hold-out films with similar forecasts; both means are from 0 to 10."""

    forecast: float = Field(description="mean forecast")
    rating: float = Field(description="mean rating")
    films: int


class Evidence(_Part):
    """Scores of a model on the hold-out films.

    Attributes:
        slices: The scores, one entry per subgroup.
        calibration: Mean forecast and mean rating of films grouped by their forecast.
        importance: How much each feature group contributes to the forecasts: the mean absolute
            contribution in rating points, by group.
    """

    # Stored files have the name `slices`. Everywhere else in the code the word is subgroup.
    slices: tuple[SubgroupEvidence, ...]
    calibration: tuple[CalibrationPoint, ...]
    importance: dict[str, float]
