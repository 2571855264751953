"""Learn what pieces of Korean words say, from films whose plot is known in both languages.

The teacher is what the English plot adds by the track records of the same split, so that a plot in
Korean adds what its translation would, as far as the pairs can tell; the fewer they are, the nearer
to nothing. Only films that teach are looked at: nothing of later ones enters.
"""

from collections import Counter
from dataclasses import replace
from typing import Final

import numpy as np
from scipy import sparse
from sklearn.linear_model import Ridge

from movierating.effects import KOREAN, Effects, Table
from movierating.korean import is_korean, pieces
from scripts.samples import Sample

MIN_PAIRS: Final = 100  # fewer teach nothing that a film outside of them shares
SHRINKAGE: Final = 2.0
_MIN_FILMS: Final = 3  # for a piece to say something
_DIGITS: Final = 5


def with_korean(effects: Effects, taught: Sample) -> Effects:
    """Effects that can read Korean, too; as they are where the films have too few such plots."""
    texts = taught.frame["overview_ko"]
    known = [
        (pieces(text), record)
        for text, film in zip(texts, taught.films, strict=True)
        if isinstance(text, str) and is_korean(text) and film.plot
        if (record := effects.of(film)["plot"]) != 0
    ]
    if len(known) < MIN_PAIRS:
        return effects
    plots, contributions = zip(*known, strict=True)
    return replace(effects, tables={**effects.tables, KOREAN: _table(plots, contributions)})


def _table(plots: tuple[list[str], ...], contributions: tuple[float, ...]) -> Table:
    counts = Counter(piece for plot in plots for piece in set(plot))
    columns = {
        piece: at
        for at, piece in enumerate(sorted(p for p, n in counts.items() if n >= _MIN_FILMS))
    }
    frequency = np.asarray([counts[piece] for piece in columns], float)
    weights = np.round(np.log((1 + len(plots)) / (1 + frequency)) + 1, _DIGITS)
    rows = [sorted({columns[piece] for piece in plot if piece in columns}) for plot in plots]
    lengths = [float(np.sqrt((weights[row] ** 2).sum())) or 1.0 for row in rows]
    values = np.concatenate([weights[row] / size for row, size in zip(rows, lengths, strict=True)])
    starts = np.cumsum([0, *map(len, rows)])
    matrix = sparse.csr_matrix(
        (values, np.concatenate(rows).astype(np.int32), starts), shape=(len(rows), len(columns))
    )
    ridge = Ridge(alpha=SHRINKAGE, solver="lsqr").fit(matrix, contributions)
    return {
        piece: (float(weights[at]), round(float(ridge.coef_[at]), _DIGITS))
        for piece, at in columns.items()
    }
