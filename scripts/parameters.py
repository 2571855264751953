"""The numbers a training run is made of, in code and under review."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

ModelType = Literal["xgboost", "lgbm", "rf"]

SEED: Final = 42
HOLDOUT_SHARE: Final = 0.2  # the newest films measure, the others teach
VALIDATION_SHARE: Final = 0.2  # the newest of those that teach choose the model
MIN_VOTES_TO_LEARN: Final = 10
MIN_VOTES_TO_MEASURE: Final = 50
MIN_FILMS: Final = 10  # on each side of the split
MIN_FILMS_PER_FLAG: Final = 25  # or a flag teaches noise
HALF_WEIGHT_VOTES: Final = 50  # a rating of so many votes counts half of a certain one


@dataclass(frozen=True)
class ModelConfig:
    """Which model to train.

    The boosted trees are shallow in XGBoost and deep in LightGBM: of 1,500 films the former learn
    more, of 10,000 the latter (`docs/decisions.md`).

    Attributes:
        model_type: One family, or `all` to let the validation films choose.
        parameters: What each family's estimator is made with.
    """

    model_type: ModelType | Literal["all"] = "all"
    parameters: dict[ModelType, dict[str, Any]] = field(
        default_factory=lambda: {
            "xgboost": {
                "n_estimators": 300,
                "max_depth": 3,
                "learning_rate": 0.03,
                "subsample": 0.7,
                "colsample_bytree": 0.4,
                "min_child_weight": 10,
                "reg_lambda": 5,
            },
            "lgbm": {
                "n_estimators": 500,
                "max_depth": 10,
                "num_leaves": 31,
                "learning_rate": 0.03,
                "subsample": 0.7,
                "subsample_freq": 1,
                "colsample_bytree": 0.4,
                "min_child_samples": 20,
                "reg_lambda": 5,
            },
            "rf": {
                "n_estimators": 300,
                "max_depth": 10,
                "subsample": 0.7,
                "colsample_bynode": 0.4,
                "min_child_weight": 5,
            },
        }
    )

    @property
    def families(self) -> tuple[ModelType, ...]:
        """The families to try."""
        return tuple(self.parameters) if self.model_type == "all" else (self.model_type,)


MODEL_CONFIG: Final = ModelConfig()
