"""Film catalogues for tests."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from movierating.films.source import TMDB
from movierating.ledger.records import Forecast, Score, VersionErrors
from scripts.catalogue.build import Recorded, write_catalogue
from scripts.store.film_store import FilmStore
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, unreleased_film

VOTES_TO_SCORE = 50


def korean_title(title: str, overview: str = "") -> dict[str, Any]:
    """Return the part `translations` with a Korean title and plot."""
    data = {"title": title, "overview": overview}
    return {"translations": {"translations": [{"iso_639_1": "ko", "data": data}]}}


def films() -> list[dict[str, Any]]:
    """Return films in TMDB's format: two to come, and three that were released."""
    return [
        unreleased_film(1, title="The Lantern Returns", original_title="등불 2", popularity=9.0),
        unreleased_film(2, title="Parade", original_title="Parade", popularity=2.0),
        {"id": 3, "title": "The Lantern", "vote_count": 60, **korean_title("등불")},
        _old_film(4, "Lantern Bearers", vote_count=900),
        _old_film(5, "The Parasol", vote_count=10),
    ]


def catalogue_file(
    folder: Path,
    stored: Iterable[dict[str, Any]] | None = None,
    forecasts: Iterable[Forecast] = (),
    scores: Iterable[Score] = (),
    errors: Mapping[str, VersionErrors] | None = None,
    source: str = TMDB,
    name: str = "films.sqlite",
) -> Path:
    """Write a catalogue for `RUN_DATE`.

    Args:
        folder: The folder for the catalogue and the film store.
        stored: The films in the store, in TMDB's format; by default those of `films`.
        forecasts: The recorded forecasts.
        scores: The recorded scores.
        errors: The errors of model versions; by default none is known.
        source: The source of the films.
        name: The name of the file.
    """
    store = FilmStore(folder / f"store-{name}" / source)
    store.add(columns(*(films() if stored is None else stored)))
    path = folder / name
    recorded = Recorded(forecasts, scores, (errors or {}).get)
    write_catalogue(path, store, recorded, RUN_DATE, VOTES_TO_SCORE)
    return path


def _old_film(film_id: int, title: str, **others: Any) -> dict[str, Any]:
    named = {"id": film_id, "title": title, "original_title": title}
    return named | {"release_date": "2020-05-01"} | others
