"""Train a model on invented films, and print its error and hashes of what it was trained on.

`python -m tests.support.training_run`. A test runs it with different kernels of the linear algebra
library (BLAS).
"""

import json
import sys
from datetime import date

import numpy as np
import pandas as pd
from scipy import sparse

from movierating.films.film import Film, Plot, name_of
from movierating.identity import sha256
from movierating.model.features import choose_features
from scripts.dataset.metrics import rmse
from scripts.parameters import MODEL_CONFIG
from scripts.runtime.provenance import kernel
from scripts.training.ridge import fit_ridge
from scripts.training.selection import fit
from scripts.training.vectors import build_vectors
from scripts.training.vocabulary import DIGITS, Floats
from tests.support.samples import rated, split_of

_WORDS = [f"word{at}" for at in range(700)]


def _film(rng: np.random.Generator) -> Film:
    """Create a film whose names are rare or frequent, as those of real films are."""

    def some(kind: str, names: int, count: int) -> tuple[str, ...]:
        chosen = (names * rng.random(count) ** 2).astype(int)
        return tuple(dict.fromkeys(f"{kind}{at}" for at in chosen))

    text = " ".join(rng.choice(_WORDS, 30))
    return Film(
        genres=some("genre", 15, 3),
        original_language=some("language", 9, 1)[0],
        countries=some("country", 12, 2),
        runtime_minutes=float(rng.integers(80, 160)),
        release_date=date(2020, 1, 1),
        directors=some("director", 300, 1),
        cast=some("actor", 600, 4),
        companies=some("company", 200, 3),
        keywords=some("keyword", 300, 4),
        plot=Plot(len(text), 0.0, 0.0, text),
    )


def films(count: int = 600) -> pd.DataFrame:
    """Create a cleaned frame of films; their ratings depend on genre, director and one actor."""
    rng = np.random.default_rng(3)
    made = [_film(rng) for _ in range(count)]
    names = sorted(
        {name_of(each) for film in made for each in (*film.genres, *film.directors, *film.cast)}
    )
    effects = dict(zip(names, rng.normal(0, 0.4, len(names)), strict=True))
    talent = [
        sum(effects[name_of(each)] for each in (film.genres[0], *film.directors, film.cast[0]))
        for film in made
    ]
    ratings = 6 + np.asarray(talent) + rng.normal(0, 0.4, count)
    votes = np.maximum(10 ** rng.normal(2.3, 0.5, count), 20).astype(int)
    return rated(made, np.linspace(8 * 365, -364, count), np.round(ratings, 3), votes)


def token_system(films: int = 20_000) -> tuple[sparse.csr_matrix, Floats, Floats]:
    """Create films with frequent and rare tokens for a ridge regression that converges slowly.

    Returns:
        The matrix of tokens with nine tokens per film, the ratings and the weights.
    """
    rng = np.random.default_rng(4)
    frequent = rng.integers(0, 20, (films, 3))
    rare = 20 + (3_000 * rng.random((films, 6)) ** 3).astype(int)
    tokens = np.concatenate([frequent, rare], axis=1)
    values, starts = rng.random(tokens.size) + 0.1, np.arange(0, tokens.size + 1, 9)
    matrix = sparse.csr_matrix((values, tokens.ravel(), starts), shape=(films, 3_020))
    return matrix, 6 + rng.normal(0, 1, films), rng.random(films)


def main() -> None:
    """Print the kernels in use, a hash of the vectors, and the error on the hold-out films."""
    split = split_of(films())
    vectors, _ = build_vectors(split, choose_features(split.train.films, 25))
    model = fit("lgbm", MODEL_CONFIG.parameters["lgbm"], vectors.training_films())
    holdout = vectors.evaluation_films()
    coefficients = np.round(fit_ridge(*token_system()).coefficients, DIGITS)
    found = {
        "kernel": kernel(),
        "vectors": sha256(vectors.full.tobytes() + vectors.form.tobytes()),
        "targets": sha256(vectors.targets.tobytes()),
        "coefficients": sha256(coefficients.tobytes()),
        "rmse": rmse(model.predict(holdout.full) - holdout.ratings),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
