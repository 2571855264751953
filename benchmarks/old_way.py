"""The old service, for comparison; it reads its model from disk at every request.

`uvicorn benchmarks.old_way:app`, with the pickle's path in OLD_MODEL.
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
    """The old endpoint; a plain function, so that it runs on a thread."""
    model = pickle.loads(Path(os.environ["OLD_MODEL"]).read_bytes())  # noqa: S301 - as the old service did
    film = pd.DataFrame(
        [[runtime, genre_encoded, lang_encoded, sentiment, overview_len]], columns=FIVE_COLUMNS
    )
    return {"predicted_rating": round(float(model.predict(film)[0]), 2)}
