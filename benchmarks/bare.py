"""The minimal FastAPI endpoint with this signature: `uvicorn benchmarks.bare:app`."""

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.get("/predict", response_model=None)  # a response model would cost time
async def predict(
    runtime: float,  # noqa: ARG001 - only the signature is measured
    genre_encoded: int,  # noqa: ARG001
    lang_encoded: int,  # noqa: ARG001
    sentiment: float,  # noqa: ARG001
    overview_len: int,  # noqa: ARG001
) -> dict[str, Any]:
    """Return a constant."""
    return {"predicted_rating": 7.38}
