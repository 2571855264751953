"""How a model did on the held-out films, part by part; a bundle carries it for people."""

from pydantic import BaseModel, ConfigDict, Field

from movierating.registry.manifest import Scores


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class SubgroupEvidence(_Part):
    """Held-out films that have something in common."""

    kind: str = Field(description="genre, language, votes or year", examples=["language"])
    name: str = Field(description="which genre, language, votes or year", examples=["ko"])
    scores: Scores
    coverage: float = Field(description="share of them whose rating lay inside the 80 % interval")


class CalibrationPoint(_Part):
    """Held-out films of about the same forecast; both means are in rating points, 0 to 10."""

    forecast: float = Field(description="mean forecast")
    rating: float = Field(description="mean rating by their audiences")
    films: int


class Evidence(_Part):
    """What the held-out films say of a model.

    Attributes:
        importance: By group of facts, the mean size of what it adds, in rating points.
    """

    slices: tuple[SubgroupEvidence, ...]
    calibration: tuple[CalibrationPoint, ...]
    importance: dict[str, float]
