"""Build pickles for users of the old system: a model with five input columns, and two encoders.

The API of this project does not use these files.
"""

import pickle
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from movierating.films.codes import UNKNOWN_CODE, Codes, CodeTable

# Each of these imports takes three to four seconds, so it is done only where an object is created.
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
    """Create an XGBoost estimator with the parameters of the old system; it is not fitted yet."""
    from xgboost import XGBRegressor

    return XGBRegressor(
        n_estimators=200,
        max_depth=4,
        learning_rate=0.05,
        subsample=0.7,
        random_state=42,
        # Its score is part of the version's name, so it must not depend on the number of CPU cores.
        n_jobs=1,
    )


def five_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the five input columns of the old model from a cleaned frame; NaN where unknown."""
    return frame[list(FIVE_COLUMNS)].astype("float32")


def encoder_pickles(codes: Codes) -> dict[str, bytes]:
    """Pickle two scikit-learn encoders: one converts a genre to its code, the other a language.

    Users of the old system load these encoders. An unknown genre or language gets the code -1.

    Returns:
        The pickles by file name.
    """
    return {
        "main_genre_encoder.pkl": pickle.dumps(_encoder(codes.genres)),
        "original_language_encoder.pkl": pickle.dumps(_encoder(codes.languages)),
    }


def exports(old_model: bytes, codes: Codes) -> dict[str, bytes]:
    """Collect the files for the S3 folder `models/latest`, which users of the old system read.

    Args:
        old_model: The pickled model with five input columns.
        codes: The code tables, which become two encoders.

    Returns:
        The content of each file, by file name.
    """
    return {"best_model.pkl": old_model} | encoder_pickles(codes)


def _encoder(table: CodeTable) -> "OrdinalEncoder":
    from sklearn.preprocessing import OrdinalEncoder

    names = list(table.names) or [""]  # scikit-learn requires at least one category
    encoder = OrdinalEncoder(
        categories=[names],
        dtype=np.int64,
        handle_unknown="use_encoded_value",
        unknown_value=UNKNOWN_CODE,
    )
    return encoder.fit(np.asarray(names, dtype=object).reshape(-1, 1))
