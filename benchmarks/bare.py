"""The least that FastAPI does for an endpoint of this signature: `uvicorn benchmarks.bare:app`."""

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.get("/predict", response_model=None)  # a model would be one thing more to do
async def predict(
    runtime: float,  # noqa: ARG001 - so are the others: the signature is what is measured
    genre_encoded: int,  # noqa: ARG001
    lang_encoded: int,  # noqa: ARG001
    sentiment: float,  # noqa: ARG001
    overview_len: int,  # noqa: ARG001
) -> dict[str, Any]:
    """Answer always the same."""
    return {"predicted_rating": 7.38}
