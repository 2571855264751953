"""The parameters of training, evaluation and drift: in code, so that every change is reviewed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from movierating.films.tokens import TRACKED_TRAITS

ModelType = Literal["xgboost", "lgbm", "rf", "linear"]

SEED: Final = 42
FEATURE_FILM_MINUTES: Final = (40, 600)  # shorter is a short; longer is a mistake or a series

# The hold-out set: the newest share of the films, but at most this many films, because more would
# not make the measurement much more precise and would be missing from training.
HOLDOUT_SHARE: Final = 0.2
HOLDOUT_FILMS: Final = 500
MIN_FILMS: Final = 10  # on each side of the split
# How many votes a film needs. A rating of few votes is noisy: an effect averages the noise of many
# films away, training bears some of it through weights, an evaluation bears the least.
MIN_VOTES_TO_COUNT: Final = 5  # to be a film that effects are estimated from
MIN_VOTES_TO_LEARN: Final = 20  # to be a film that the model is trained on
MIN_VOTES_TO_MEASURE: Final = 50  # to be a film that forecasts are evaluated on
VOTE_BANDS: Final = (50, 100, 300, 1_000)  # limits of the subgroups by votes in reports
MIN_FILMS_PER_FLAG: Final = 25  # a flag that fewer films have would be fitted to noise
# Weights of the model's training films; effects have their own in `EffectsConfig`.
HALF_WEIGHT_VOTES: Final = 140  # a rating of this many votes has half the weight of a certain one
HALF_LIFE_YEARS: Final = 3.0  # a film that is so much older has half the weight
# The oldest share of films only feeds the effects. Few films precede them, so their features would
# mostly be missing, and the model would learn from that instead of from effects.
BURN_IN_SHARE: Final = 0.2
FOLDS: Final = 3  # years before the split, each forecast from the years before it
# The recent bias, which is subtracted from forecasts.
BIAS_HALF_LIFE_DAYS: Final = 120  # an error that is so much older has half the weight
BIAS_MIN_FILMS: Final = 100  # with fewer films in a fold, the bias estimate is noise
BIAS_PRIOR_FILMS: Final = 60  # prior strength, in films: the bias of few films is shrunk towards 0


@dataclass(frozen=True)
class EffectsConfig:
    """How the effects of tokens (target encoding) are estimated.

    Attributes:
        shrinkage: Prior strength by trait, in films of full weight: an effect of this many films is
            shrunk to half.
        half_weight_votes: A rating of this many votes has half the weight of a certain one.
        half_life_years: A film that is so much older has half the weight.
        level_half_life_years: The same for the mean rating. It is shorter, since ratings drift
            from year to year.
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
        """The fewest films for which the effect of a token of this trait is kept.

        Traits with past ratings keep every token, because a person's only film is informative too.
        """
        if trait in TRACKED_TRAITS:
            return 1
        return 5 if trait in {"plot", "title"} else 2


EFFECTS: Final = EffectsConfig()

# The model that predicts the absolute error. It is small, because the folds that it is fitted to
# are few and errors are noisy.
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
        model_type: One family, or `all` to choose by the error on the folds.
        parameters: The hyperparameters of each family's estimator.
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
    """The limits beyond which drift is an alert.

    Attributes:
        psi: The PSI of one fact; 0.25 is the usual sign of a major shift.
        bias: The mean error of recent forecasts, in rating points, in either direction.
        rmse_ratio: The RMSE of recent forecasts, as a multiple of the RMSE on the hold-out films.
        coverage: Lowest and highest share of ratings within the 80 % interval.
        film_days: Age limit, in days, of the recent films that are compared with training films.
        score_days: Age limit, in days, of the scores that are checked.
        min_films: With fewer films the PSI is noise, and is not calculated.
        min_scores: With fewer scores the errors are noise, and are not checked.
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
