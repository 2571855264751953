"""Files for users of the old system: pickles of its five-column model and of its two encoders.

The service reads none of them.
"""

import pickle
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from movierating.films.codes import UNKNOWN_CODE, Codes, CodeTable

# Each takes three to four seconds to import, so it is imported only where one is created.
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
    """The old system's estimator with its parameters, unfitted."""
    from xgboost import XGBRegressor

    return XGBRegressor(
        n_estimators=200,
        max_depth=4,
        learning_rate=0.05,
        subsample=0.7,
        random_state=42,
        n_jobs=1,  # its score is part of the version, and must not depend on the number of cores
    )


def five_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The five columns of a cleaned frame, shape (films, 5); NaN where unknown."""
    return frame[list(FIVE_COLUMNS)].astype("float32")


def encoder_pickles(codes: Codes) -> dict[str, bytes]:
    """The two pickled scikit-learn encoders by file name; an unknown name has the code -1."""
    return {
        "main_genre_encoder.pkl": pickle.dumps(_encoder(codes.genres)),
        "original_language_encoder.pkl": pickle.dumps(_encoder(codes.languages)),
    }


def exports(old_model: bytes, codes: Codes) -> dict[str, bytes]:
    """The files of `models/latest` by name: the pickled five-column model and the encoders."""
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
