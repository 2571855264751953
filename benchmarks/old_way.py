"""A copy of this project's old prediction service; a benchmark compares its speed with our API's.

The old service reads its model from disk at every request. Start it with `uvicorn
benchmarks.old_way:app`. The environment variable OLD_MODEL must contain the path of the pickled
model.
"""

import os
import pickle
from pathlib import Path

import pandas as pd
from fastapi import FastAPI

from scripts.dataset.legacy import FIVE_COLUMNS

app = FastAPI()


@app.get("/predict")
def predict(
    runtime: float, genre_encoded: int, lang_encoded: int, sentiment: float, overview_len: int
) -> dict[str, float]:
    """Forecast a rating from five numbers, as the old endpoint did."""
    # Not `async`, as in the old service: FastAPI then runs the function in a thread.
    model = pickle.loads(Path(os.environ["OLD_MODEL"]).read_bytes())  # noqa: S301 - as the old service did
    film = pd.DataFrame(
        [[runtime, genre_encoded, lang_encoded, sentiment, overview_len]], columns=FIVE_COLUMNS
    )
    return {"predicted_rating": round(float(model.predict(film)[0]), 2)}
