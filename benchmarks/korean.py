"""Measure forecast errors when the plot is in Korean and the translation service has failed.

The model is trained on the films released before a split date. Where a Korean plot of such a film
is known, the model is trained on it too. Later films with a plot in both languages are forecast
three times: from the English plot, from the Korean plot, and without a plot. The only other facts
that the model gets for these forecasts are the film's genres.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.accuracy import read_films
from benchmarks.figures import report
from benchmarks.real_run import SHARED
from movierating.films.film import Film, Plot
from movierating.films.text import measure_plot
from movierating.model.features import build_matrix
from movierating.model.target_encoding import KOREAN_PLOT
from scripts.dataset.metrics import rmse
from scripts.dataset.split import Ratings, TimeSplit
from scripts.dataset.table import films_of
from scripts.parameters import ModelConfig
from scripts.training.bundling import export_models
from scripts.training.selection import TrainingResult, train_candidates

FEW_FILMS: Final = 10  # too few films to estimate a standard deviation
# On these films, the selection on the folds chooses this model family. To train only this one is
# four times as fast.
CONFIG: Final = ModelConfig(model_type="lgbm")
_PARSER: Final = argparse.ArgumentParser(prog="python -m benchmarks.korean", description=__doc__)
_PARSER.add_argument("--catalogue", type=Path, default=SHARED, help="real films in parquet form")
_PARSER.add_argument(
    "--pairs",
    type=Path,
    default=SHARED.with_name("overviews_ko.parquet"),
    help="the films' plots in both languages",
)
_PARSER.add_argument("--json", type=Path, help="also write the figures to this file")


def with_pairs(films: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add a column `overview_ko` with the films' Korean plots, as the step `preprocess` does.

    Args:
        films: The cleaned films, a data frame with one row per film.
        pairs: A data frame with the columns `id` (the film's id) and `overview_ko`.
    """
    return films.assign(overview_ko=films["id"].map(pairs.set_index("id")["overview_ko"]))


def forecasts(learned: TrainingResult, films: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Forecast hold-out films from the English plot, from the Korean plot, and without a plot.

    Args:
        learned: The result of the training.
        films: The hold-out films with a plot in both languages, a data frame with one row per film.
        pairs: The plots: a data frame with the columns `id`, `overview_en` and `overview_ko`.

    Returns:
        One row per film: the forecasts `english`, `korean` and `unknown`, the genre, the rating.
    """
    model, _ = export_models(learned)
    of_pair = pairs.set_index("id").loc[films["id"]]
    forms = [Film(genres=film.genres) for film in films_of(films)]
    plots: dict[str, list[Plot | None]] = {
        "english": [measure_plot(text) for text in of_pair["overview_en"]],
        "korean": [Plot(None, None, None, text, "ko") for text in of_pair["overview_ko"]],
        "unknown": [None] * len(forms),
    }
    said = {}
    for name, known in plots.items():
        variants = [replace(form, plot=plot) for form, plot in zip(forms, known, strict=True)]
        records = map(learned.effects.encode, variants)
        said[name] = model.forecast(build_matrix(variants, learned.films.features, records))
    genres = [form.main_genre for form in forms]
    return pd.DataFrame(said | {"genre": genres, "rating": films["vote_average"].to_numpy()})


def spreads(said: pd.DataFrame) -> pd.DataFrame:
    """Measure how much the plots change the forecasts, for each genre and each plot language.

    The plot's effect is a film's forecast with the plot, minus the forecast without it. Genres with
    fewer than `FEW_FILMS` films are left out.

    Args:
        said: The data frame that `forecasts` returns.

    Returns:
        One row per genre: the standard deviations of the effects of the English and of the Korean
        plots, and the number of films.
    """
    moved = said[["english", "korean"]].sub(said["unknown"], axis=0).groupby(said["genre"])
    table = moved.std().assign(films=moved.size())
    return table[table["films"] >= FEW_FILMS].sort_values("films", ascending=False)


def figures(said: pd.DataFrame) -> dict[str, Any]:
    """Compute this benchmark's measured values from the forecasts of all films.

    Args:
        said: The data frame that `forecasts` returns.

    Returns:
        The number of films. The mean absolute differences between the forecast from the English
        plot and the two other forecasts. The means over all genres of the standard deviations from
        `spreads`. The RMSE of each of the three forecasts.
    """
    by_genre = spreads(said)

    def apart(name: str) -> float:
        return round(float((said["english"] - said[name]).abs().mean()), 4)

    def error(name: str) -> float:
        off: Ratings = (said[name] - said["rating"]).to_numpy(float)
        return round(rmse(off), 4)

    return {
        "films": len(said),
        "difference": apart("korean"),
        "difference_unknown": apart("unknown"),
        **{
            f"spread_{name}": round(float(np.average(by_genre[name], weights=by_genre["films"])), 4)
            for name in ("english", "korean")
        },
        **{f"rmse_{name}": error(name) for name in ("english", "korean", "unknown")},
    }


def main(argv: list[str] | None = None, config: ModelConfig = CONFIG) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = _PARSER.parse_args(argv)
    pairs = pd.read_parquet(arguments.pairs)
    films = with_pairs(read_films([arguments.catalogue]), pairs)
    # Hold out more than the usual 500 films, because few of them have a plot in both languages.
    split = TimeSplit.of_newest(films, enough=len(films))
    learned = train_candidates(split, config)
    later = split.holdout.frame["overview_ko"].notna().to_numpy()
    said = forecasts(learned, split.holdout.frame[later], pairs)
    print(
        "standard deviation by plots within a genre, in rating points",
        spreads(said).round(3),
        sep="\n",
    )
    report(
        arguments.json,
        split=str(split.split_date),
        taught_pairs=int(split.train.frame["overview_ko"].notna().sum()),
        pieces=len(learned.effects.tables.get(KOREAN_PLOT, {})),
        **figures(said),
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
