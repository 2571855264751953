"""Estimate effects of Korean plots from training films with a Korean and an English plot.

The effect of a plot is what it adds to the forecast rating. A ridge regression estimates the effect
of a film's English plot from the syllable n-grams of its Korean plot. So a Korean plot changes a
forecast about as much as its English translation would. With few films, the ridge penalty shrinks
the effects towards zero.
"""

from collections import Counter
from dataclasses import replace
from math import isnan
from typing import Final

import numpy as np

from movierating.films.text import is_korean, syllable_ngrams
from movierating.model.target_encoding import EFFECT_FEATURES, KOREAN_PLOT, Effects, EffectTable
from scripts.dataset.split import Sample
from scripts.training.ridge import fit_ridge
from scripts.training.vocabulary import DIGITS, smoothed_idf, token_matrix, unit_rows

MIN_PAIRS: Final = 100  # with fewer pairs of plots, too few n-grams occur in several films
SHRINKAGE: Final = 2.0  # penalty of the ridge regression
_MIN_FILMS: Final = 3  # an n-gram that occurs in fewer films gets no effect


def add_korean_plots(effects: Effects, train: Sample) -> Effects:
    """Add a table of effects of Korean n-grams to the tables of the other tokens.

    Returns:
        A copy of `effects` with one more table; `effects` itself if too few films have both plots.
    """
    pairs = [
        (syllable_ngrams(text), english_effect)
        for text, film in zip(train.frame["overview_ko"], train.films, strict=True)
        if isinstance(text, str) and is_korean(text) and film.plot
        # Zero and NaN both mean that no word of the English plot has an effect.
        if (english_effect := effects.encode(film)[EFFECT_FEATURES["plot"]])
        and not isnan(english_effect)
    ]
    if len(pairs) < MIN_PAIRS:
        return effects
    plots, english_effects = zip(*pairs, strict=True)
    return replace(effects, tables={**effects.tables, KOREAN_PLOT: _table(plots, english_effects)})


def _table(plots: tuple[list[str], ...], english_effects: tuple[float, ...]) -> EffectTable:
    counts = Counter(ngram for plot in plots for ngram in set(plot))
    kept = sorted(ngram for ngram, n in counts.items() if n >= _MIN_FILMS)
    columns = {ngram: at for at, ngram in enumerate(kept)}
    weights = np.round(smoothed_idf([counts[ngram] for ngram in kept], len(plots)), DIGITS)
    rows = token_matrix([dict.fromkeys(plot) for plot in plots], columns, weights)
    targets = np.asarray(english_effects)
    ridge = fit_ridge(unit_rows(rows), targets, np.ones(len(plots)), penalty=SHRINKAGE)
    return EffectTable(kept, np.stack([weights, np.round(ridge.coefficients, DIGITS)], axis=1))
