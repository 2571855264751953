import json
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.film_facts import FilmFacts
from app.matching import match
from movierating.films.film import Entity, Film, name_of
from movierating.model.target_encoding import EffectTable
from movierating.registry.bundle import Bundle
from tests.support.bundles import Packed, effects_of

NAMES = ("directors", "writers", "cast", "companies", "keywords")


@pytest.fixture
def bundle(packed: Packed) -> Bundle:
    """Return a model that knows one name of each trait, and films from Korea."""
    known = {"Bong Joon-ho": (1.0, 0.5)}
    traits = ("director", "writer", "cast", "company", "franchise", "keyword")
    tables = dict.fromkeys(traits, known) | {"country": {"KR": (1.0, 0.1)}}
    return replace(packed.load(), effects=effects_of(tables))


def matched(bundle: Bundle, **facts: Any) -> tuple[Film, Any, Any]:
    """Return the film that the model gets, the ignored values, and the changed values."""
    found = match(bundle, FilmFacts.model_validate({"overview": "A ship."} | facts), None)
    ignored = {each.field: (each.values, each.reason) for each in found.ignored}
    return found.film, ignored, [(each.field, each.sent, each.read) for each in found.read_as]


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize(
    "name", ["bong joon-ho", "BONG  JOON HO", "Bong Joon-hó", "Ｂｏｎｇ Joon-ho"]
)
def test_name_in_another_spelling_is_the_known_one_and_is_told(
    bundle: Bundle, field: str, name: str
):
    film, ignored, read_as = matched(bundle, **{field: [name]})
    assert getattr(film, field) == ("Bong Joon-ho",)
    assert (ignored, read_as) == ({}, [(field, name, "Bong Joon-ho")])


@pytest.mark.parametrize("field", NAMES)
def test_name_that_the_model_does_not_know_is_ignored_with_its_value(bundle: Bundle, field: str):
    film, ignored, read_as = matched(bundle, **{field: ["Nobody Yet", "Bong Joon-ho"]})
    assert getattr(film, field) == ("Nobody Yet", "Bong Joon-ho")
    assert ignored[field][0] == ["Nobody Yet"]
    assert read_as == []


MINSEO, HOMONYM = Entity(1, "Kim Minseo"), Entity(2, "KIM MINSEO")
OLD_NAME = Entity(3, "Lana Then")


@pytest.fixture
def with_ids(bundle: Bundle) -> Bundle:
    """Return a model that knows two people of one name, and one who has changed the name."""
    directors = {
        MINSEO: (1.0, 0.5, 1.7918, 7.0, 7.0),
        HOMONYM: (1.0, -0.5, 0.6931, 5.0, 5.0),
        OLD_NAME: (1.0, 0.1, 0.6931, 6.0, 6.0),
    }
    return replace(bundle, effects=effects_of({"director": directors}))


def test_sent_id_is_used_and_its_name_is_not(with_ids: Bundle):
    sent = [{"id": 2, "name": "Kim Minseo"}, {"id": 3, "name": "Lana Now"}]
    film, ignored, read_as = matched(with_ids, directors=sent)
    assert film.directors == (HOMONYM, OLD_NAME)
    assert ignored == {}
    assert read_as == [
        ("directors", "Kim Minseo", "KIM MINSEO"),
        ("directors", "Lana Now", "Lana Then"),
    ]


def test_name_that_several_bear_is_the_one_with_the_most_films_and_is_told(with_ids: Bundle):
    found = match(with_ids, FilmFacts(overview="A ship.", directors=["Kim Minseo"]), None)
    assert found.film.directors == (MINSEO,)
    (told,) = found.read_as
    assert (told.field, told.sent, told.read) == ("directors", "Kim Minseo", "Kim Minseo (id 1)")
    assert told.reason == (
        "2 have this name; this one has the most training films (5); "
        'to choose another, send {"id": ..., "name": ...}'
    )


@pytest.mark.parametrize(
    "name", ["봉준호", "Bong Joon-ho", "Joon-ho Bong", "Bong Joonho", "BONG JOONHO"]
)
def test_every_known_name_finds_the_person(bundle: Bundle, name: str):
    bong = Entity(21684, "Bong Joon Ho")
    table = EffectTable([bong], [[1.0, 0.5]], named=True, others={21684: ["봉준호"]})
    known = replace(bundle, effects=replace(bundle.effects, tables={"director": table}))
    film, ignored, _ = matched(known, directors=[name])
    assert (film.directors, ignored) == ((bong,), {})


def test_unknown_id_with_a_known_name_is_a_newcomer(with_ids: Bundle):
    newcomer = {"id": 99, "name": "Kim Minseo"}
    film, ignored, read_as = matched(with_ids, directors=[newcomer])
    assert film.directors == (Entity(99, "Kim Minseo"),)
    assert ignored["directors"][0] == ["Kim Minseo"]
    assert read_as == []


def test_person_sent_by_name_and_by_id_counts_once(with_ids: Bundle):
    sent = ["Kim Minseo", {"id": 1, "name": "Kim Minseo"}, {"id": 2, "name": "Kim Minseo"}]
    film, ignored, _ = matched(with_ids, directors=sent)
    assert film.directors == (MINSEO, HOMONYM)
    assert ignored["directors"] == (["Kim Minseo"], "sent twice; counts once")


def test_id_leads_to_the_name_if_the_model_knows_only_names(bundle: Bundle):
    film, ignored, _ = matched(bundle, directors=[{"id": 21684, "name": "BONG JOON HO"}])
    assert (film.directors, ignored) == (("Bong Joon-ho",), {})


@pytest.mark.parametrize("number", [0, -1, 2**53, True, 1.5, "21684", []])
def test_id_that_is_none_is_refused_with_a_sentence(number: Any):
    with pytest.raises(ValidationError, match="send a whole number above 0, or leave"):
        FilmFacts.model_validate({"overview": "x", "cast": [{"id": number, "name": "Ada"}]})


def test_object_without_an_id_is_a_name(with_ids: Bundle):
    film, _, read_as = matched(with_ids, directors=[{"id": None, "name": "Lana Then"}])
    assert film.directors == (OLD_NAME,)
    assert read_as == []


def test_collection_is_matched_like_other_names(bundle: Bundle):
    film, ignored, read_as = matched(bundle, collection="BONG JOON-HO")
    assert (film.franchise, ignored) == ("Bong Joon-ho", {})
    assert read_as == [("collection", "BONG JOON-HO", "Bong Joon-ho")]
    assert matched(bundle, collection="Other")[1]["collection"][0] == ["Other"]


def test_cast_after_the_fifth_is_ignored_with_its_names(bundle: Bundle):
    names = [f"Actor {at}" for at in range(7)]
    film = FilmFacts(overview="A ship.", cast=["Actor 0", *names])
    found = match(bundle, film, None)
    assert found.film.cast == tuple(names[:5])
    notes = {each.reason: each.values for each in found.ignored}
    assert notes["only the first 5 are used"] == names[5:]
    assert notes["sent twice; counts once"] == ["Actor 0"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [("kr", "KR"), ("South Korea", "KR"), ("대한민국", "KR"), ("KOR", "KR"), ("KR", "KR")],
)
def test_country_is_matched(bundle: Bundle, sent: str, read: str):
    film, ignored, read_as = matched(bundle, countries=[sent])
    assert (film.countries, ignored) == ((read,), {})
    assert read_as == ([("countries", sent, read)] if sent != read else [])


def test_country_that_does_not_exist_is_left_out_and_a_rare_one_has_no_effect(bundle: Bundle):
    film, ignored, _ = matched(bundle, countries=["ZZ"])
    assert film.countries == ()
    assert ignored["countries"] == (["ZZ"], "there is no such country; send a code such as KR")
    film, ignored, _ = matched(bundle, countries=["TV"])
    assert film.countries == ("TV",)  # as in training: such a country counts as a rare one
    assert ignored["countries"][0] == ["TV"]


@pytest.mark.parametrize("sent", ["ko-KR", "KO", "Korean", "한국어", "kr", "kor"])
def test_language_is_matched(bundle: Bundle, sent: str):
    film, ignored, read_as = matched(bundle, language=sent)
    assert (film.original_language, ignored) == ("ko", {})
    assert read_as == [("language", sent, "ko")]


@pytest.mark.parametrize(("sent", "reason"), [("fr", "no training film"), ("Elvish", "not a lang")])
def test_unknown_language_is_ignored_with_its_value(bundle: Bundle, sent: str, reason: str):
    film, ignored, read_as = matched(bundle, language=sent)
    assert film.original_language is None
    assert ignored["language"][0] == [sent]
    assert ignored["language"][1].startswith(reason)
    assert read_as == []


def test_language_code_of_tmdb_is_not_read_as_a_country(bundle: Bundle):
    film, ignored, _ = matched(bundle, original_language="kr")
    assert film.original_language is None
    assert ignored["original_language"][0] == ["kr"]


@pytest.mark.parametrize(
    ("sent", "shown"), [("drama", "drama"), ("드라마", "드라마"), (18, "18"), ({"id": 18}, None)]
)
def test_genre_is_matched(bundle: Bundle, sent: Any, shown: str | None):
    film, ignored, read_as = matched(bundle, genres=["Horror", sent])
    assert (film.genres, ignored) == (("Horror", "Drama"), {})
    assert read_as == ([("genres", shown, "Drama")] if shown else [])


def test_genre_that_only_this_model_has_is_matched_by_case(bundle: Bundle):
    names = (*bundle.codes.genres.names, "Film Noir")
    codes = replace(bundle.codes, genres=type(bundle.codes.genres)(names))
    assert matched(replace(bundle, codes=codes), genres=["film-noir"])[0].genres == ("Film Noir",)


def test_genres_that_the_model_does_not_know_are_ignored_with_their_values(bundle: Bundle):
    film, ignored, _ = matched(bundle, genres=["Puppetry", "Drama", "Drama", 999_999])
    assert film.genres == ("Drama",)
    notes = match(bundle, FilmFacts(genres=["Puppetry", "Drama", "Drama", "x"]), None).ignored
    assert [(each.values, each.reason[:5]) for each in notes] == [
        (["Puppetry", "x"], "not a"),
        (["Drama"], "sent "),
    ]
    assert "genres" in ignored


def test_text_that_was_normalised_is_told_near_the_change(bundle: Bundle):
    plot = "A lantern shines. " * 20 + "Ａ ship sails."
    _, _, read_as = matched(bundle, overview=plot, title=unicodedata.normalize("NFD", "여름"))
    (title, overview) = read_as
    assert title == ("title", unicodedata.normalize("NFD", "여름"), "여름")
    assert "Ａ ship" in overview[1]
    assert "A ship" in overview[2]
    assert max(len(overview[1]), len(overview[2])) <= 100


def test_fields_that_nobody_uses_are_named_with_a_short_value(bundle: Bundle):
    fields: dict[str, Any] = {f"field {at}": at for at in range(60)}
    fields |= {"vote_average": 7.1, "text": "x" * 5_000, "list": [1] * 5_000, "half": "\ud83d"}
    facts = FilmFacts.model_validate({"genres": ["Drama"], **dict(reversed(fields.items()))})
    notes = match(bundle, facts, None).ignored
    by_field = {each.field: each for each in notes}
    assert by_field["vote_average"].reason == "known only after the release, so never used"
    assert by_field["vote_average"].values == ["7.1"]
    assert by_field["list"].values == ["a list of 5,000 values"]
    assert len(by_field["text"].values[0]) == 100
    assert by_field["half"].values == ["?"]
    assert len(notes) == 51
    assert by_field["..."].reason == "14 more: this model does not use it"


def test_whole_film_of_tmdb_is_matched_and_nothing_is_dropped(bundle: Bundle, tmdb_shared: Path):
    raw = (tmdb_shared / "api/recorded/movie_550_append.json").read_text("utf-8")
    film = json.loads(raw)
    found = match(bundle, FilmFacts.model_validate(film), None)
    named = {each.field for each in found.ignored}
    counted = {"title", "overview", "genres", "runtime", "release_date", "budget", "release_dates"}
    counted |= {"original_language", "belongs_to_collection", "credits"}
    assert film.keys() - named - counted == set()
    values = [value for each in found.ignored for value in each.values]
    people = {each["name"] for part in ("cast", "crew") for each in film["credits"][part]}
    used = {
        name_of(each) for each in (*found.film.cast, *found.film.directors, *found.film.writers)
    }
    assert people - used - set(values) == set()
    assert len(json.dumps([each.model_dump() for each in found.ignored])) < len(raw) / 5
