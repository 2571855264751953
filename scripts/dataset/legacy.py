"""What is kept for the old system's consumers: five columns, two encoders, pickled for notebooks.

Nothing of this is read by the service.
"""

import pickle
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from movierating.films.codes import UNKNOWN_CODE, Codes, CodeTable

# Three and four seconds to import: only for who makes an encoder or a model.
if TYPE_CHECKING:
    from sklearn.preprocessing import OrdinalEncoder
    from xgboost import XGBRegressor

CODE_COLUMNS: Final = ("genre_encoded", "lang_encoded")
FIVE_COLUMNS: Final = (
    "runtime",
    *CODE_COLUMNS,
    "overview_sentiment",
    "overview_len",
)


def old_model() -> "XGBRegressor":
    """The old system's estimator with its parameters, not yet fitted."""
    from xgboost import XGBRegressor

    return XGBRegressor(
        n_estimators=200,
        max_depth=4,
        learning_rate=0.05,
        subsample=0.7,
        random_state=42,
        n_jobs=1,  # its score is part of a version, whatever the number of cores
    )


def five_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The old columns of a cleaned frame; missing stays missing."""
    return frame[list(FIVE_COLUMNS)].astype("float32")


def encoder_pickles(codes: Codes) -> dict[str, bytes]:
    """The two encoders as scikit-learn objects: names in, codes out, -1 for an unknown name."""
    return {
        "main_genre_encoder.pkl": pickle.dumps(_encoder(codes.genres)),
        "original_language_encoder.pkl": pickle.dumps(_encoder(codes.languages)),
    }


def exports(old_model: bytes, codes: Codes) -> dict[str, bytes]:
    """What `models/latest` holds: the pickled model of the five columns, and the encoders."""
    return {"best_model.pkl": old_model} | encoder_pickles(codes)


def _encoder(table: CodeTable) -> "OrdinalEncoder":
    from sklearn.preprocessing import OrdinalEncoder

    names = list(table.names) or [""]  # scikit-learn wants one category at least
    encoder = OrdinalEncoder(
        categories=[names],
        dtype=np.int64,
        handle_unknown="use_encoded_value",
        unknown_value=UNKNOWN_CODE,
    )
    return encoder.fit(np.asarray(names, dtype=object).reshape(-1, 1))
