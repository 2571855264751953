from dataclasses import replace

import pytest

from movierating.films.film import Film
from tests.support.bundles import FULL_FILM, Packed, invented_films


def test_films_get_the_same_forecast_together_and_alone(packed: Packed):
    predictor, films = packed.load().predictor, [*invented_films(20), FULL_FILM, Film()]
    alone = [predictor.forecast([film])[0] for film in films]
    assert predictor.forecast(films) == alone


def test_rating_and_interval_are_those_of_the_model(packed: Packed):
    bundle = packed.load()
    (found,) = bundle.predictor.forecast([FULL_FILM])
    matrix = bundle.matrix([FULL_FILM])
    half_width = float(bundle.model.half_widths(matrix)[0])
    assert found.rating == float(bundle.model.forecast(matrix)[0])
    assert [found.low] == bundle.model.intervals(matrix)[0].tolist()
    assert [found.high] == bundle.model.intervals(matrix)[1].tolist()
    # In the test bundle, negative errors are twice as large as positive ones.
    assert found.rating - found.low == pytest.approx(2.0 * half_width, abs=0.1)
    assert found.high - found.rating == pytest.approx(1.0 * half_width, abs=0.05)


def test_interval_reaches_from_the_10th_to_the_90th_percentile(packed: Packed):
    for found in packed.load().predictor.forecast([*invented_films(20), FULL_FILM, Film()]):
        assert found.distribution is not None
        assert float(found.distribution.quantile(0.1)) == found.low
        assert float(found.distribution.quantile(0.9)) == found.high
        assert float(found.distribution.at_least(found.low)) == pytest.approx(0.9, abs=0.01)


def test_bundle_without_a_distribution_has_a_symmetric_interval_only(packed: Packed):
    predictor = packed.load().predictor
    old = replace(predictor, model=replace(predictor.model, errors=None))
    (found,) = old.forecast([FULL_FILM])
    half_width = float(old.model.half_widths(old.matrix([FULL_FILM]))[0])
    assert found.distribution is None
    assert (found.low, found.high) == (found.rating - half_width, found.rating + half_width)


def test_reasons_add_up_to_the_difference_from_a_film_without_facts(packed: Packed):
    described, unknown = packed.load().predictor.forecast([FULL_FILM, Film()])
    assert sum(described.reasons.values()) == pytest.approx(
        described.rating - unknown.rating, abs=1e-5
    )
    assert unknown.reasons == {}


def test_forecast_without_reasons_has_the_same_rating_and_interval(packed: Packed):
    predictor = packed.load().predictor
    (explained,) = predictor.forecast([FULL_FILM])
    (plain,) = predictor.forecast([FULL_FILM], explained=False)
    assert explained.reasons
    assert plain == replace(explained, reasons={})


@pytest.mark.parametrize("quantile", [0.0, 6.0, 40.0])
def test_interval_stays_between_0_and_10(packed: Packed, quantile: float):
    predictor = packed.load().predictor
    wide = replace(predictor, model=replace(predictor.model, quantile=quantile))
    for each in wide.forecast(invented_films(20)):
        assert 0 <= each.low <= each.rating <= each.high <= 10


def test_no_films_get_no_forecasts(packed: Packed):
    assert packed.load().predictor.forecast([]) == []
