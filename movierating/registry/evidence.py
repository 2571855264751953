"""A model's scores on the hold-out films, by subgroup such as genre or language, for the UI."""

from pydantic import BaseModel, ConfigDict, Field

from movierating.model.distribution_scores import DistributionScores
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


class SubgroupReliability(_Part):
    """How reliable forecasts are for films of one language or genre.

    It is measured on the hold-out films and on the films of the last years before them, each
    forecast by a model that had not learned from them.
    """

    kind: str = Field(description="`language` or `genre`", examples=["language"])
    name: str = Field(description="which language or genre", examples=["ko"])
    films: int = Field(description="number of films on which it was measured")
    bias: float = Field(description="mean of forecast minus rating; positive: forecast too high")
    coverage: float = Field(
        description="share of these films whose rating lies inside the 80 % interval"
    )
    biased: bool = Field(
        description="whether the bias is 0.1 points or more, and larger than by chance"
    )
    badly_covered: bool = Field(
        description="whether the coverage differs from 80 % by 5 points or more, and by more than "
        "by chance"
    )


class Narrowing(_Part):
    """How much narrower the 80 % interval becomes if a fact is known, in rating points.

    It is the mean over the hold-out films that have the fact; each was forecast with and without
    it. Negative: the interval becomes wider.
    """

    field: str = Field(description="field of `POST /v1/predict`", examples=["directors"])
    films: int = Field(description="number of films on which it was measured")
    beside_form: float = Field(
        description="if otherwise only plot, genres, language and running time are known"
    )
    beside_all: float = Field(description="if all other facts are known")


class Evidence(_Part):
    """Scores of a model on the hold-out films.

    Attributes:
        slices: The scores, one entry per subgroup.
        calibration: Mean forecast and mean rating of films grouped by their forecast.
        importance: How much each feature group contributes to the forecasts: the mean absolute
            contribution in rating points, by group.
        distribution: The scores of the predicted distributions, if the model gets all facts
            (`all_facts`) or only those in the UI's short form (`form`). Empty in version 1.0.0.
        reliability: The reliability by language and genre. Empty in version 1.0.0.
        narrowing: By how much each fact narrows the intervals. Empty in bundles of earlier
            versions.
    """

    # Stored files have the name `slices`. Everywhere else in the code the word is subgroup.
    slices: tuple[SubgroupEvidence, ...]
    calibration: tuple[CalibrationPoint, ...]
    importance: dict[str, float]
    distribution: dict[str, DistributionScores] = {}
    reliability: tuple[SubgroupReliability, ...] = ()
    narrowing: tuple[Narrowing, ...] = ()
