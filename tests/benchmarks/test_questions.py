import pandas as pd

from app.film_facts import FACT_NAMES, FilmFacts
from benchmarks.questions import PLOT_CHARACTERS, all_facts, askable, five_numbers, form
from movierating.films.codes import Codes, CodeTable
from movierating.films.film import Film, Plot
from scripts.dataset.table import row_of

CODES = Codes(CodeTable(("Drama",)), CodeTable(("en",)))
LONG = "A ship sails. " * 40


def film(text: str = LONG, **facts: object) -> Film:
    known: dict[str, object] = {
        "genres": ("Drama",),
        "original_language": "en",
        "runtime_minutes": 100.0,
        "plot": Plot(len(text), 0.1, 0.2, text),
    }
    return Film(**(known | facts))  # type: ignore[arg-type]


def frame(*films: Film) -> pd.DataFrame:
    return pd.DataFrame([row_of(each, CODES) | {"release_date": "2020-01-01"} for each in films])


def test_only_films_with_all_main_facts_become_requests():
    films = [
        film(),
        film("Short."),
        film(runtime_minutes=None),
        film(genres=()),
        film(title="Last"),
    ]
    assert [each.title for each in askable(frame(*films), 10)] == [None, "Last"]
    assert [each.title for each in askable(frame(*films), 1)] == ["Last"]


def test_bodies_are_valid_requests():
    few, many = (FilmFacts.model_validate(body) for body in (form(film()), all_facts(film())))
    assert few.overview == LONG[:PLOT_CHARACTERS].strip()
    assert few.model_fields_set == {"overview", "genres", "language", "runtime"}
    assert many.model_fields_set == set(FACT_NAMES)


def test_query_for_the_old_api_contains_codes():
    assert five_numbers(film(), CODES) == {
        "runtime": 100.0,
        "genre_encoded": 0,
        "lang_encoded": 0,
        "sentiment": 0.1,
        "overview_len": len(LONG),
    }
