"""The parameters of training, evaluation and drift checks.

They are code and not settings, so that every change of a parameter is reviewed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from movierating.films.tokens import TRACKED_TRAITS

ModelType = Literal["xgboost", "lgbm", "rf", "linear"]

SEED: Final = 42
# Shortest and longest running time of a feature film. A shorter film is a short; a longer one is a
# series or a mistake.
FEATURE_FILM_MINUTES: Final = (40, 600)

# The hold-out set is the newest 20 % of the films, but at most 500 films. More films would make the
# evaluation hardly more precise, and training would lack them.
HOLDOUT_SHARE: Final = 0.2
HOLDOUT_FILMS: Final = 500
MIN_FILMS: Final = 10  # smallest number of training films, and of hold-out films
# How many votes a film needs. Few votes give a noisy rating. Three uses tolerate this differently:
# - An effect is a mean over many films, in which most of the noise cancels out.
# - Training gives noisy ratings a smaller weight.
# - An evaluation tolerates the least, because noise would look like errors of the model.
MIN_VOTES_TO_COUNT: Final = 5  # to estimate effects from the film
MIN_VOTES_TO_LEARN: Final = 20  # to train the model on the film
MIN_VOTES_TO_MEASURE: Final = 50  # to evaluate forecasts on the film
VOTE_BANDS: Final = (50, 100, 300, 1_000)  # lower limits of the subgroups by votes in reports
# A flag is a feature such as `genre=Drama`. With fewer films, a model would fit it to noise.
MIN_FILMS_PER_FLAG: Final = 25
# The weight of a film in training the model. Effects use other weights (`EffectsConfig`).
HALF_WEIGHT_VOTES: Final = 140  # at this number of votes, a film has half of the largest weight
HALF_LIFE_YEARS: Final = 3.0  # each time a film is this much older, its weight halves
# The oldest 20 % of the films are only used to estimate effects. Too few films came before them, so
# most of their own effects would be unknown, and the model would learn from these gaps.
BURN_IN_SHARE: Final = 0.2
FOLDS: Final = 3  # number of years before the split; each is forecast from the years before it
# The recent bias is the mean error of the newest fold. It is subtracted from forecasts.
BIAS_HALF_LIFE_DAYS: Final = 120  # each time an error is this much older, its weight halves
BIAS_MIN_FILMS: Final = 100  # with fewer films in the fold, the bias is noise and 0 is used
PLOT_COMPONENTS: Final = 192  # principal components of the plots' vectors
BIAS_PRIOR_FILMS: Final = 60  # prior strength, in films: the bias of few films is shrunk towards 0


@dataclass(frozen=True)
class EffectsConfig:
    """How the target-encoded effects of tokens, such as one director, are estimated.

    Attributes:
        shrinkage: Prior strength by trait (kind of token), in films of full weight. If a token has
            this many films, its effect is shrunk to half.
        half_weight_votes: At this number of votes, a film has half of the largest weight.
        half_life_years: Each time a film is this much older, its weight halves.
        level_half_life_years: The half-life for the estimate of the mean rating. It is shorter,
            because the mean rating changes from year to year.
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
            "plot meaning": 1.0,
            "plot score: words": 3.3,
            "plot score: meaning": 1.0,
            "few votes": 0.4,
        }
    )
    half_weight_votes: float = 400.0
    half_life_years: float = 4.5
    level_half_life_years: float = 2.0

    def min_films(self, trait: str) -> int:
        """Return how many films a token of this trait needs so that its effect is kept.

        For people, companies and franchises (`TRACKED_TRAITS`) one film is enough, because even a
        single past rating is informative.
        """
        if trait in TRACKED_TRAITS:
            return 1
        return 5 if trait in {"plot", "title"} else 2


EFFECTS: Final = EffectsConfig()

# Parameters of the model that predicts the absolute error of a forecast. This model is small,
# because it is fitted to the noisy errors of only a few folds.
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
    """Which model families to train, and with which hyperparameters.

    Attributes:
        model_type: One family; or `all` to train every family and keep the one with the smallest
            error on the folds.
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
        """The model families to train."""
        return tuple(self.parameters) if self.model_type == "all" else (self.model_type,)


MODEL_CONFIG: Final = ModelConfig()


@dataclass(frozen=True)
class DriftLimits:
    """The limits of the drift check; a value outside its limit gives an alert.

    Attributes:
        psi: Largest population stability index of one fact; above 0.25 is commonly called a major
            shift.
        bias: Largest mean error of recent forecasts, in rating points, too high or too low.
        rmse_ratio: Largest RMSE of recent forecasts, as a multiple of the RMSE on the hold-out
            films.
        coverage: Lowest and highest fraction of ratings that lie inside the 80 % interval.
        production_days: Largest age of the model in production; a film's people and the taste of
            voters change meanwhile.
        film_days: Only films released in the last `film_days` days are compared with the training
            films.
        score_days: Only scores of the last `score_days` days are checked.
        min_films: With fewer films the PSI is noise, and is not calculated.
        min_scores: With fewer scores the errors are noise, and are not checked.
    """

    psi: float = 0.25
    bias: float = 0.15
    rmse_ratio: float = 1.25
    coverage: tuple[float, float] = (0.7, 0.9)
    production_days: int = 90
    film_days: int = 180
    score_days: int = 90
    min_films: int = 100
    min_scores: int = 50


DRIFT: Final = DriftLimits()
