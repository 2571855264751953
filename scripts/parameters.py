"""The numbers a training run is made of, in code and under review."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from movierating.films.tokens import TRACKED_TRAITS

ModelType = Literal["xgboost", "lgbm", "rf", "linear"]

SEED: Final = 42
HOLDOUT_SHARE: Final = 0.2  # the newest films measure, the others teach
HOLDOUT_FILMS: Final = 500  # are enough to measure with: more would only teach later
MIN_VOTES_TO_COUNT: Final = 5  # for the track records
MIN_VOTES_TO_LEARN: Final = 20  # for the model
MIN_VOTES_TO_MEASURE: Final = 50
VOTE_BANDS: Final = (50, 100, 300, 1_000)  # that reports tell films apart by
MIN_FILMS: Final = 10  # on each side of the split
MIN_FILMS_PER_FLAG: Final = 25  # or a flag teaches noise
# What teaches the model; the track records have their own in `EffectsConfig`.
HALF_WEIGHT_VOTES: Final = 140  # a rating of so many votes counts half of a certain one
HALF_LIFE_YEARS: Final = 3.0  # a film so much older teaches half as much
# The oldest films only make track records, or the model would learn from those without one.
BURN_IN_SHARE: Final = 0.2
FOLDS: Final = 3  # years before the split, each forecast by what was known when it began
# How far too high forecasts were lately is taken off the next ones.
BIAS_HALF_LIFE_DAYS: Final = 120  # an error so much older counts half
BIAS_MIN_FILMS: Final = 100  # a fold of fewer tells luck, and of a model that knew fewer still
BIAS_PRIOR_FILMS: Final = 60  # as if so many new films had come out as forecast: few show little


@dataclass(frozen=True)
class EffectsConfig:
    """How the track records are estimated.

    Attributes:
        shrinkage: By trait: an effect is half believed after so many films of full weight.
        half_weight_votes: A rating of so many votes counts half of a certain one.
        half_life_years: A film so much older counts half.
        level_half_life_years: The same for the average, since ratings drift from year to year.
        iterations: Of the solver.
    """

    shrinkage: Mapping[str, float] = field(
        default_factory=lambda: {
            "genre": 0.7,
            "genre_pair": 2.1,
            "language": 1.4,
            "country": 3.5,
            "runtime": 2.7,
            "budget": 20.4,
            "director": 2.8,
            "writer": 1.4,
            "cast": 3.5,
            "company": 2.5,
            "franchise": 0.7,
            "keyword": 1.2,
            "title": 8.5,
            "plot": 3.3,
            "few votes": 0.4,
        }
    )
    half_weight_votes: float = 400.0
    half_life_years: float = 4.5
    level_half_life_years: float = 2.0
    iterations: int = 40

    def min_films(self, trait: str) -> int:
        """How many films a token needs, or its effect is that film's luck."""
        if trait in TRACKED_TRAITS:
            return 1
        return 5 if trait in {"plot", "title"} else 2


EFFECTS: Final = EffectsConfig()

# The model of the size of errors: small, so that it finds no more than the folds can tell.
ERROR_MODEL: Final[Mapping[str, Any]] = {
    "n_estimators": 60,
    "num_leaves": 6,
    "learning_rate": 0.05,
    "min_child_samples": 100,
    "subsample": 0.7,
    "subsample_freq": 1,
    "colsample_bytree": 0.5,
    "reg_lambda": 10,
}


@dataclass(frozen=True)
class ModelConfig:
    """Which model to train.

    Attributes:
        model_type: One family, or `all` to let the validation films choose.
        parameters: What each family's estimator is made with.
    """

    model_type: ModelType | Literal["all"] = "all"
    parameters: dict[ModelType, dict[str, Any]] = field(
        default_factory=lambda: {
            "xgboost": {
                "n_estimators": 250,
                "max_depth": 4,
                "learning_rate": 0.06,
                "max_bin": 64,
                "subsample": 0.6,
                "colsample_bytree": 0.25,
                "min_child_weight": 10,
                "reg_lambda": 10,
            },
            "lgbm": {
                "n_estimators": 150,
                "num_leaves": 32,
                "learning_rate": 0.06,
                "subsample": 0.9,
                "subsample_freq": 1,
                "colsample_bytree": 0.75,
                "min_child_samples": 24,
                "reg_lambda": 15,
                "extra_trees": True,
            },
            "rf": {
                "n_estimators": 75,
                "max_depth": 9,
                "max_bin": 64,
                "subsample": 0.7,
                "colsample_bynode": 0.3,
                "min_child_weight": 3,
            },
            "linear": {"alpha": 50.0},
        }
    )

    @property
    def families(self) -> tuple[ModelType, ...]:
        """The families to try."""
        return tuple(self.parameters) if self.model_type == "all" else (self.model_type,)


MODEL_CONFIG: Final = ModelConfig()


@dataclass(frozen=True)
class DriftLimits:
    """What is an alert.

    Attributes:
        psi: Shares of a fact have moved so far; 0.25 is the customary sign of a major shift.
        bias: Forecasts are off by so many rating points on average.
        rmse_ratio: Errors are so many times those on the held-out films.
        coverage: Outside of these shares the 80 % interval does not hold what it promises.
        film_days: Films that opened so recently are compared with those that taught.
        score_days: Scores of so many days are looked at.
        min_films: Fewer tell nothing of their facts.
        min_scores: Fewer tell nothing of the errors.
    """

    psi: float = 0.25
    bias: float = 0.15
    rmse_ratio: float = 1.25
    coverage: tuple[float, float] = (0.7, 0.9)
    film_days: int = 180
    score_days: int = 90
    min_films: int = 100
    min_scores: int = 50


DRIFT: Final = DriftLimits()
