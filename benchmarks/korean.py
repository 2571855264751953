"""Measure forecasts from Korean plots, beside those from English plots and without a plot.

Each year is forecast by a model that was trained on earlier years only. Films with a plot in both
languages are forecast three times: from the English plot, from the Korean plot, and without a plot.
The only other facts that the model gets are the film's genres. How Korean plots differ from English
ones is learned from the pairs of earlier years.

The last values are about the mood of a Korean plot. It is estimated from the plot's vector, by a
regression that is fitted to English plots, and compared with the mood of the English plot.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.accuracy import read_films
from benchmarks.figures import report
from benchmarks.plots import with_kept_vectors
from benchmarks.real_run import SHARED
from movierating.films.film import Film, Plot
from movierating.model.features import build_matrix, choose_features
from movierating.model.target_encoding import Effects
from scripts.dataset.metrics import rmse
from scripts.dataset.plot_vectors import KOREAN_VECTOR, PLOT_VECTOR
from scripts.dataset.split import Ratings, Sample, TimeSplit
from scripts.parameters import MIN_FILMS_PER_FLAG, MIN_VOTES_TO_MEASURE, MODEL_CONFIG, SEED
from scripts.training.plot_meaning import plot_weights
from scripts.training.selection import fit
from scripts.training.vectors import FilmHistory, build_vectors

YEARS: Final = range(2014, 2022)
# On these films, the selection on the folds chooses this model family. To train only this one is
# four times as fast.
FAMILY: Final = "lgbm"
SAMPLES: Final = 2_000  # of the bootstrap
_MOODS: Final = (-0.1, 0.1)  # the polarity up to which a plot is negative, and neutral
_PARSER: Final = argparse.ArgumentParser(prog="python -m benchmarks.korean", description=__doc__)
_PARSER.add_argument("--catalogue", type=Path, default=SHARED, help="real films in parquet form")
_PARSER.add_argument(
    "--pairs",
    type=Path,
    default=SHARED.with_name("overviews_ko.parquet"),
    help="the films' plots in both languages",
)
_PARSER.add_argument("--first", type=int, default=YEARS.start, help="default: %(default)s")
_PARSER.add_argument("--until", type=int, default=YEARS.stop, help="default: %(default)s")
_PARSER.add_argument("--json", type=Path, help="also write the figures to this file")


def with_pairs(films: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add a column `overview_ko` with the films' Korean plots, as the step `preprocess` does.

    Args:
        films: The cleaned films, a data frame with one row per film.
        pairs: A data frame with the columns `id` (the film's id) and `overview_ko`.
    """
    return films.assign(overview_ko=films["id"].map(pairs.set_index("id")["overview_ko"]))


def forecasts(films: pd.DataFrame, years: Sequence[int]) -> pd.DataFrame:
    """Forecast each year's films that have both plots, with a model trained on earlier years.

    Args:
        films: The cleaned films with their plots' vectors.
        years: The years; the last one is the last year of the films.

    Returns:
        One row per film: the forecasts `english`, `korean` and `unknown`, and the rating.
    """
    last = max(years)
    split = TimeSplit.by_date(films, date(last, 1, 1))
    every = pd.concat([split.train.frame, split.later.frame])
    features = choose_features(split.train.films, MIN_FILMS_PER_FLAG)
    vectors, _ = build_vectors(split, features)
    history = FilmHistory.of(split)
    tables = []
    for year in years:
        before = last - year  # years before the split
        model = fit(FAMILY, MODEL_CONFIG.parameters[FAMILY], vectors.training_films(before))
        earlier = Sample(every[history.years > before])
        estimated = history.estimate(before)
        plots = plot_weights(estimated, history.components, history.tokens, earlier)
        effects = estimated.effects(history.vocabulary, plots)
        of_year = every[history.years == before]
        is_pair = of_year[KOREAN_VECTOR].notna() & of_year[PLOT_VECTOR].notna()
        pairs = Sample(of_year[is_pair & (of_year["vote_count"] >= MIN_VOTES_TO_MEASURE)])
        said = {
            name: model.predict(build_matrix(variants, features, encodings))
            for name, variants, encodings in _variants(pairs, effects)
        }
        tables.append(pd.DataFrame(said | {"rating": pairs.ratings, "year": year}))
    return pd.concat(tables, ignore_index=True)


def _variants(
    pairs: Sample, effects: Effects
) -> Iterator[tuple[str, list[Film], list[Mapping[str, float]]]]:
    """Yield the films three times: with the English plot, with the Korean plot, without a plot."""
    films = [Film(genres=film.genres, plot=film.plot) for film in pairs.films]
    korean = [
        replace(film, plot=Plot(None, None, None, text, "ko"))
        for film, text in zip(films, pairs.frame["overview_ko"], strict=True)
    ]
    nothing = [replace(film, plot=None) for film in films]
    for name, variants, vectors in (
        ("english", films, pairs.frame[PLOT_VECTOR]),
        ("korean", korean, pairs.frame[KOREAN_VECTOR]),
        ("unknown", nothing, [None] * len(nothing)),
    ):
        encoded = [effects.encode(film, each) for film, each in zip(variants, vectors, strict=True)]
        yield name, variants, encoded


def figures(said: pd.DataFrame) -> dict[str, Any]:
    """Compute the errors of the three forecasts, and their differences with 95 % intervals.

    Args:
        said: The data frame that `forecasts` returns.
    """
    off = {
        name: (said[name] - said["rating"]).to_numpy(float)
        for name in ("english", "korean", "unknown")
    }
    return {
        "films": len(said),
        **{f"rmse_{name}": round(rmse(errors), 4) for name, errors in off.items()},
        "korean_minus_unknown": difference(off["korean"], off["unknown"]),
        "korean_minus_english": difference(off["korean"], off["english"]),
        "english_minus_unknown": difference(off["english"], off["unknown"]),
    }


def difference(first: Ratings, second: Ratings) -> list[float]:
    """Return the difference of two RMSEs of the same films, and its 95 % interval (bootstrap)."""
    random = np.random.default_rng(SEED)
    rows = random.integers(0, len(first), (SAMPLES, len(first)))
    drawn = np.sqrt((first**2)[rows].mean(axis=1)) - np.sqrt((second**2)[rows].mean(axis=1))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [round(float(each), 4) for each in (rmse(first) - rmse(second), low, high)]


def mood_figures(films: pd.DataFrame, split_date: date) -> dict[str, Any]:
    """Compare the estimated mood of Korean plots with the mood of the English plots.

    The regression is fitted to the English plots of films released before the split date. The three
    labels are calibrated on the pairs before it: each gets the share that it has among them.
    """
    plots = films[films[PLOT_VECTOR].notna()]
    earlier = plots["release_date"] < split_date.isoformat()
    vectors = np.stack([*plots.loc[earlier, PLOT_VECTOR]]).astype(float)
    polarity = plots.loc[earlier, "overview_sentiment"].to_numpy(float)
    centre, level = vectors.mean(axis=0), polarity.mean()
    centred = vectors - centre
    normal = centred.T @ centred + 30 * np.eye(vectors.shape[1])
    weights = np.linalg.solve(normal, centred.T @ (polarity - level))
    pairs = plots[plots[KOREAN_VECTOR].notna()]
    korean = np.stack([*pairs[KOREAN_VECTOR]]).astype(float)
    old = (pairs["release_date"] < split_date.isoformat()).to_numpy()
    shift = np.stack([*pairs.loc[old, PLOT_VECTOR]]).astype(float).mean(axis=0)
    estimated = (korean + shift - korean[old].mean(axis=0) - centre) @ weights + level
    true = np.digitize(pairs["overview_sentiment"].to_numpy(float), _MOODS)
    shares = np.cumsum(np.bincount(true[old], minlength=3)[:2]) / old.sum()
    labels = np.digitize(estimated, np.quantile(estimated[old], shares))
    agree = [((labels == label) & (true == label))[~old].mean() for label in range(3)]
    common = [(true[~old] == label).mean() for label in range(3)]
    said = [(labels[~old] == label).mean() for label in range(3)]
    return {
        "mood_films": int((~old).sum()),
        "mood_agrees": round(float(np.sum(agree)), 3),
        "mood_agrees_by_chance": round(float(np.dot(common, said)), 3),
        "mood_of_most_plots": round(float(max(common)), 3),
    }


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = _PARSER.parse_args(argv)
    pairs = pd.read_parquet(arguments.pairs)
    films = with_kept_vectors(with_pairs(read_films([arguments.catalogue]), pairs))
    films = films[films["release_date"] < f"{arguments.until}-01-01"]
    years = range(arguments.first, arguments.until)
    report(
        arguments.json,
        years=f"{years.start} to {years.stop - 1}",
        **figures(forecasts(films, years)),
        **mood_figures(films, date(arguments.until - 3, 1, 1)),
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
