"""A minimal FastAPI endpoint with the old API's signature, to compare speeds with.

`benchmarks.serving` starts it with `uvicorn benchmarks.bare:app`.
"""

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.get("/predict", response_model=None)  # validating a response would cost time
async def predict(
    runtime: float,  # noqa: ARG001 - only the signature is measured
    genre_encoded: int,  # noqa: ARG001
    lang_encoded: int,  # noqa: ARG001
    sentiment: float,  # noqa: ARG001
    overview_len: int,  # noqa: ARG001
) -> dict[str, Any]:
    """Return a constant rating, so that only the cost of HTTP and FastAPI is measured."""
    return {"predicted_rating": 7.38}
