from dataclasses import replace
from pathlib import Path

from movierating.films.film import Film
from scripts.ledger.forecaster import Forecaster, inputs_sha256
from scripts.ledger.upcoming import select_films
from scripts.store.film_store import FilmStore
from tests.support.bundles import RUN_DATE, Packed
from tests.support.films import columns, moment, unreleased_film


def test_forecast_has_no_baselines_if_no_film_is_rated(tmp_path: Path, packed: Packed):
    store = FilmStore(tmp_path)
    store.add(columns(unreleased_film(1)))
    films, means = select_films(store, RUN_DATE, min_votes=50)
    (made,) = Forecaster.of(packed.load()).forecast(films, means, moment(), RUN_DATE)
    assert made.baselines == {}


def test_forecast_states_the_distribution_of_the_prediction(tmp_path: Path, packed: Packed):
    store = FilmStore(tmp_path)
    store.add(columns(unreleased_film(1)))
    films, means = select_films(store, RUN_DATE, min_votes=50)
    forecaster = Forecaster.of(packed.load())
    (made,) = forecaster.forecast(films, means, moment(), RUN_DATE)
    assert made.distribution is not None
    assert made.distribution.quantiles[0] < made.low < made.high < made.distribution.quantiles[-1]
    # A model of version 1.0.0 has no distribution.
    model = replace(forecaster.predictor.model, errors=None)
    old = replace(forecaster, predictor=replace(forecaster.predictor, model=model))
    assert old.forecast(films, means, moment(), RUN_DATE)[0].distribution is None


def test_hash_of_the_inputs_changes_with_each_fact():
    film = Film(title="The Lantern", genres=("Drama",), runtime_minutes=100)
    others = [replace(film, runtime_minutes=101.0), replace(film, directors=("Ada Novak",))]
    assert inputs_sha256(film) == inputs_sha256(replace(film))
    assert len({inputs_sha256(each) for each in [film, *others]}) == 3
