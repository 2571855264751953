"""A minimal FastAPI service, whose speed is compared with the speed of this project's API.

Its only endpoint has the same parameters as the project's old API, and returns a constant.
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
