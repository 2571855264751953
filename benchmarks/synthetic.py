"""Compare the trained model's error with the smallest possible error, for invented films.

The ratings of invented films are computed by known rules. So the smallest possible error of a
forecast is known too: see `benchmarks.floors`. In the output, `ratio_to_floor_learnable` is the
model's error divided by this smallest error. It is 1 for a perfect model.
"""

import logging
from datetime import date
from typing import Final

from benchmarks.accuracy import cleaned
from benchmarks.figures import report
from benchmarks.floors import learnable_floor
from benchmarks.plots import with_kept_vectors
from movierating.films.film import Entity, Film
from movierating.films.text import measure_plot
from sandbox.tmdb import films as invented
from sandbox.tmdb.codes import GENRES
from sandbox.tmdb.world import World
from scripts.dataset.split import TimeSplit
from scripts.parameters import MODEL_CONFIG
from scripts.training.selection import train_candidates

TODAY: Final = date(2026, 11, 23)  # fixed, so that every run invents the same films


def film_of(film: invented.Film) -> Film:
    """Convert an invented film to the pipeline's `Film`: the facts known before the release."""
    return Film(
        title=film.title,
        genres=tuple(GENRES[code] for code in film.genres),
        original_language=film.original_language,
        countries=film.countries,
        runtime_minutes=film.runtime or None,
        release_date=film.released,
        budget_usd=film.budget or None,
        directors=tuple(map(_entity, film.directors)),
        writers=tuple(map(_entity, film.writers)),
        cast=tuple(map(_entity, film.cast)),
        companies=tuple(map(_entity, film.companies)),
        franchise=_entity(film.collection) if film.collection else None,
        keywords=tuple(map(_entity, film.keywords)),
        plot=measure_plot(film.overview),
    )


def _entity(named: invented.Person | invented.Company | invented.Named) -> Entity:
    return Entity(named.id, named.name)


def main() -> int:
    """Train on the invented films that have votes, and print the ratios to the smallest errors."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    world = World(TODAY)
    out = [film for film in map(world.film, range(len(world.columns.ids))) if film.vote_count]
    outcomes = {
        film.id: {
            "id": film.id,
            "revenue": film.revenue,
            "vote_count": film.vote_count,
            "vote_average": film.vote_average,
        }
        for film in out
    }
    frame = with_kept_vectors(cleaned(outcomes, {film.id: film_of(film) for film in out}))
    # Hold out the whole newest fifth and not only 500 films, so that chance matters less.
    split = TimeSplit.of_newest(frame, enough=len(frame))
    learned = train_candidates(split, MODEL_CONFIG)
    held_out = split.holdout.frame["id"].tolist()
    training = split.train.frame["id"].tolist()
    floors = {
        "floor": world.noise_floor(held_out),
        "floor_learnable": learnable_floor(world, training, held_out),
        "floor_without_histories": world.noise_floor(held_out, histories=False),
    }
    rmse = learned.best.holdout.rmse
    report(
        n=len(held_out),
        train_films=len(split.train),
        model=learned.best.family,
        rmse=rmse,
        baselines={name: each.rmse for name, each in learned.baselines.items()},
        **{name: round(each, 4) for name, each in floors.items()},
        **{f"ratio_to_{name}": round(rmse / each, 4) for name, each in floors.items()},
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
