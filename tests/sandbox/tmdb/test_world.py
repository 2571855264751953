from collections import Counter
from datetime import date

import numpy as np
import numpy.typing as npt
import pytest
from textblob import TextBlob

from movierating.films.source import is_invented
from sandbox.tmdb import quality
from sandbox.tmdb.codes import GENRES
from sandbox.tmdb.films import Film
from sandbox.tmdb.odd_films import WorldWithOddFilms
from sandbox.tmdb.plots import plot_words, title_words
from sandbox.tmdb.world import World

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def films(world: World) -> list[Film]:
    return [world.film(at) for at in range(len(world.columns.ids))]


@pytest.fixture(scope="module")
def rated(world: World) -> npt.NDArray[np.intp]:
    """Return the positions of the films with at least 5 votes.

    With fewer votes, the limits of the rating (1 and 10) would change the noise floor: the lowest
    RMSE that any forecast can have.
    """
    return np.flatnonzero(world.columns.vote_count >= 5)


def rmse(errors: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def test_the_same_seed_and_day_make_the_same_world() -> None:
    one, two, other = (World(TODAY, seed, size=60) for seed in (1, 1, 2))
    assert [one.film(at) for at in range(60)] == [two.film(at) for at in range(60)]
    assert [one.film(at).title for at in range(60)] != [other.film(at).title for at in range(60)]


def test_a_later_day_changes_votes_and_ratings_but_no_facts() -> None:
    early, late = (World(day, size=600) for day in (date(2020, 1, 1), TODAY))
    assert [early.film(at).title for at in range(600)] == [late.film(at).title for at in range(600)]
    assert np.all(early.columns.vote_count <= late.columns.vote_count)
    assert early.columns.vote_count.sum() < late.columns.vote_count.sum()


def test_every_world_has_a_name_of_its_own_on_all_days() -> None:
    one, other, smaller = (World(TODAY, seed, size) for seed, size in ((1, 60), (2, 60), (1, 50)))
    names = {one.source, other.source, smaller.source, WorldWithOddFilms(one).source}
    assert len(names) == 4
    assert all(map(is_invented, names))
    assert World(date(2020, 1, 1), 1, 60).source == one.source


def test_six_thousand_films_in_several_languages(films: list[Film]) -> None:
    languages = Counter(film.original_language for film in films)
    assert len(films) == 6000
    assert languages.most_common(1)[0][0] == "en"
    assert 0.1 < languages["ko"] / 6000 < 0.14
    assert {"ja", "fr", "es", "hi", "de", "zh", "xx"} <= languages.keys()


def test_upcoming_films_are_unrated_and_about_a_tenth(films: list[Film]) -> None:
    upcoming = [film for film in films if film.status != "Released"]
    assert 0.07 < len(upcoming) / len(films) < 0.11
    assert {film.status for film in upcoming} == {"Post Production", "Planned"}
    assert all(film.released is None or film.released > TODAY for film in upcoming)
    assert {(film.vote_count, film.vote_average, film.revenue) for film in upcoming} == {(0, 0, 0)}


def test_ratings_are_distributed_like_tmdbs(world: World, rated: npt.NDArray[np.intp]) -> None:
    ratings = world.columns.vote_average[rated]
    assert 6.1 < ratings.mean() < 6.7
    assert 0.7 < ratings.std() < 0.95
    assert ratings.min() >= 1
    assert ratings.max() <= 10


def test_the_noise_floor_is_the_error_of_the_best_forecast(
    world: World, rated: npt.NDArray[np.intp]
) -> None:
    ids = world.columns.ids[rated].tolist()
    expected = np.array([world.expected_rating(film_id) for film_id in ids])
    error = rmse(world.columns.vote_average[rated] - expected)
    assert error == pytest.approx(world.noise_floor(ids), rel=0.04)


def test_the_noise_floor_without_histories_is_the_error_of_the_other_facts(
    world: World, rated: npt.NDArray[np.intp]
) -> None:
    ids = world.columns.ids[rated].tolist()
    error = rmse(world.columns.vote_average[rated] - world.facts.visible[rated])
    assert error == pytest.approx(world.noise_floor(ids, histories=False), rel=0.04)
    assert world.noise_floor(ids, histories=False) > world.noise_floor(ids) + 0.05


def test_few_votes_raise_the_noise_floor() -> None:
    assert quality.noise_floor([4]) == pytest.approx(np.hypot(quality.IRREDUCIBLE_SD, 1.0))
    assert quality.noise_floor([10**9]) == pytest.approx(quality.IRREDUCIBLE_SD)


def test_facts_without_histories_explain_most_but_not_all(world: World) -> None:
    facts = world.facts
    assert facts.visible.var() > 1.5 * facts.histories.var() > 0
    explained = facts.visible.var() + facts.histories.var()
    assert 0.4 < explained / (explained + quality.IRREDUCIBLE_SD**2) < 0.6


def test_a_simple_model_of_visible_facts_comes_near_the_floor(
    world: World, films: list[Film]
) -> None:
    """Fit a linear model on films before 2022, and compare its RMSE with the noise floor.

    The noise floor is the lowest RMSE that any forecast of these films can have."""
    known = [film for film in films if film.vote_count >= 30 and film.genres and film.runtime]
    rows = np.array(
        [
            [1.0, film.runtime, film.runtime**2, film.runtime**3]
            + [TextBlob(film.overview).polarity]
            + [film.genres[0] == code for code in GENRES]
            + [film.original_language == code for code in ("ko", "ja", "fr", "es", "hi", "de")]
            for film in known
        ]
    )
    ratings = np.array([film.vote_average for film in known])
    past = np.array([film.released is None or film.released.year < 2022 for film in known])
    rows[:, 1:4] /= rows[:, 1:4].max(axis=0)
    weights, *_ = np.linalg.lstsq(rows[past], ratings[past])
    ids = [film.id for film, before in zip(known, past, strict=True) if not before]
    error = rmse(ratings[~past] - rows[~past] @ weights)
    of_mean = rmse(ratings[~past] - ratings[past].mean())
    floor = world.noise_floor(ids, histories=False)
    assert world.noise_floor(ids) < error
    assert floor * 0.97 < error < floor + 0.3 * (of_mean - floor)


def test_the_polarity_of_english_plots_follows_their_mood(world: World, films: list[Film]) -> None:
    tones, polarities = [], []
    for at in range(0, 3000, 10):
        if films[at].overview:
            tones.append(world.facts.plots[at].tone)
            polarities.append(TextBlob(films[at].overview).polarity)
    assert np.corrcoef(tones, polarities)[0, 1] > 0.85


@pytest.mark.parametrize("part", ["openings", "turns", "endings", "roles"])
def test_only_words_of_mood_change_the_polarity(part: str) -> None:
    assert {sentence: TextBlob(sentence).polarity for sentence in plot_words()["en"][part]} == (
        dict.fromkeys(plot_words()["en"][part], 0.0)
    )


def test_every_language_has_the_same_words_in_the_same_number() -> None:
    words = plot_words()
    for part in ("bright", "plain", "dark", "roles", "openings", "turns", "endings"):
        assert len({len(words[language][part]) for language in words}) == 1
    for by_language in title_words().values():
        assert len({len(words) for words in by_language.values()}) == 1


def test_korean_films_have_korean_titles_and_translations(films: list[Film]) -> None:
    korean = [film for film in films if film.original_language == "ko" and film.overview]
    for film in korean:
        own = next(text for text in film.translations if text.language == "ko")
        assert own.title == film.original_title
        assert any("가" <= letter <= "힣" for letter in own.title)
        assert own.overview.endswith(("다.", "다"))
        assert any("가" <= letter <= "힣" for letter in film.directors[0].original_name)
    assert any(
        text.language == "ko"
        for film in films
        if film.original_language == "en"
        for text in film.translations
    )


def test_directors_make_several_films_within_a_career(films: list[Film]) -> None:
    years: dict[int, list[int]] = {}
    for film in films:
        if film.released:
            for person in film.directors:
                years.setdefault(person.id, []).append(film.released.year)
    assert 2 <= np.median([len(films) for films in years.values()]) <= 6
    assert np.percentile([max(span) - min(span) for span in years.values()], 90) <= 16


def test_a_person_has_one_name_everywhere(films: list[Film]) -> None:
    names: dict[int, set[str]] = {}
    for film in films:
        for person in (*film.directors, *film.writers, *film.cast):
            names.setdefault(person.id, set()).add(person.name)
    assert all(len(known) == 1 for known in names.values())


def test_films_of_a_collection_are_alike_and_numbered(films: list[Film]) -> None:
    members: dict[int, list[Film]] = {}
    for film in films:
        if film.collection:
            members.setdefault(film.collection.id, []).append(film)
    assert len(members) > 100
    for parts in members.values():
        assert len(parts) >= 2
        assert parts[1].title == f"{parts[0].title} 2"
        assert len({film.collection for film in parts}) == 1


def test_records_have_gaps_like_real_ones(films: list[Film]) -> None:
    total = len(films)
    assert 0 < sum(film.runtime == 0 for film in films) < 0.05 * total
    assert 0 < sum(film.overview == "" for film in films) < 0.05 * total
    assert 0 < sum(film.genres == () for film in films) < 0.05 * total
    assert 0 < sum(film.released is None for film in films) < 0.02 * total
    assert sum(film.budget == 0 for film in films) > 0.5 * total
    assert 0 < sum(film.poster_path is None for film in films) < 0.1 * total
    assert 0 < sum(0 < film.vote_count < 10 for film in films) < 0.1 * total


def test_ids_are_unique_and_beyond_tmdbs(world: World) -> None:
    ids = world.columns.ids
    assert len(set(ids.tolist())) == len(ids)
    assert ids.min() > 9_000_000
