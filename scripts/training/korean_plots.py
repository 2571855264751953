"""Learn what pieces of Korean words say, from films whose plot is known in both languages.

The teacher is what the English plot adds by the track records of the same split, so that a plot in
Korean adds what its translation would, as far as the pairs can tell; the fewer they are, the nearer
to nothing. Only films that teach are looked at: nothing of later ones enters.
"""

from collections import Counter
from dataclasses import replace
from math import isnan
from typing import Final

import numpy as np
from sklearn.linear_model import Ridge

from movierating.films.text import is_korean, syllable_ngrams
from movierating.model.target_encoding import EFFECT_FEATURES, KOREAN_PLOT, Effects, EffectTable
from scripts.dataset.split import Sample
from scripts.training.vocabulary import smoothed_idf, token_matrix, unit_rows

MIN_PAIRS: Final = 100  # fewer teach nothing that a film outside of them shares
SHRINKAGE: Final = 2.0
_MIN_FILMS: Final = 3  # for a piece to say something
_DIGITS: Final = 5


def add_korean_plots(effects: Effects, taught: Sample) -> Effects:
    """Effects that can read Korean, too; as they are where the films have too few such plots."""
    texts = taught.frame["overview_ko"]
    known = [
        (syllable_ngrams(text), record)
        for text, film in zip(texts, taught.films, strict=True)
        if isinstance(text, str) and is_korean(text) and film.plot
        if (record := effects.encode(film)[EFFECT_FEATURES["plot"]])
        and not isnan(record)  # no word that is known
    ]
    if len(known) < MIN_PAIRS:
        return effects
    plots, contributions = zip(*known, strict=True)
    return replace(effects, tables={**effects.tables, KOREAN_PLOT: _table(plots, contributions)})


def _table(plots: tuple[list[str], ...], contributions: tuple[float, ...]) -> EffectTable:
    counts = Counter(piece for plot in plots for piece in set(plot))
    kept = sorted(piece for piece, n in counts.items() if n >= _MIN_FILMS)
    columns = {piece: at for at, piece in enumerate(kept)}
    weights = np.round(smoothed_idf([counts[piece] for piece in kept], len(plots)), _DIGITS)
    rows = token_matrix([dict.fromkeys(plot) for plot in plots], columns, weights)
    ridge = Ridge(alpha=SHRINKAGE, solver="lsqr")
    ridge.fit(unit_rows(rows), contributions)
    effects = np.round(ridge.coef_, _DIGITS)
    return EffectTable(kept, np.stack([weights, effects], axis=1))
