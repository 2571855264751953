import numpy as np
import pytest
from scipy import sparse

from movierating.films.film import Entity, Film, Plot
from movierating.films.tokens import TRAITS
from movierating.model.token_index import WordIndex
from scripts.training.vocabulary import TokenRows, Vocabulary, token_matrix, unit_rows
from tests.support.bundles import invented_films


@pytest.mark.parametrize(
    ("trait", "film", "token", "needed"),
    [
        ("director", Film(directors=("Ada Novak",)), "ada novak", 1),
        ("genre", Film(genres=("Drama",)), "Drama", 2),
        ("plot", Film(plot=Plot(7, 0.0, 0.0, "lantern")), "lantern", 5),
        ("title", Film(title="Lantern"), "lantern", 5),
    ],
)
def test_token_needs_enough_films_that_have_it(trait: str, film: Film, token: str, needed: int):
    assert Vocabulary.of([film] * (needed - 1) + [Film()]).columns[trait].find(token) is None
    assert Vocabulary.of([film] * needed + [Film()]).columns[trait].find(token) == 0


def test_all_spellings_of_a_name_are_one_token_with_the_most_frequent_spelling():
    names = ("Wong Kar-Wai", "Wong Kar-wai", "WONG KAR WAI", "Wong Kar-wai")
    vocabulary = Vocabulary.of([Film(directors=(name,)) for name in names])
    assert list(vocabulary.columns["director"]) == ["Wong Kar-wai"]


def test_equally_frequent_spellings_are_chosen_by_alphabet_whatever_the_order_of_films():
    films = [Film(directors=(name,)) for name in ("Beta", "BETA", "beta")]
    for ordered in (films, films[::-1]):
        assert list(Vocabulary.of(ordered).columns["director"]) == ["BETA"]


ADA, HOMONYM = Entity(7, "Ada Novak"), Entity(8, "Ada Novak")


def test_people_of_one_name_are_told_apart_by_their_ids():
    films = [Film(directors=(person,)) for person in (ADA, HOMONYM, ADA)]
    vocabulary = Vocabulary.of(films)
    assert list(vocabulary.columns["director"]) == [ADA, HOMONYM]  # most films first
    rows = TokenRows.of(films, vocabulary).matrices["director"]
    np.testing.assert_array_equal(rows.toarray(), [[1, 0], [0, 1], [1, 0]])


def test_person_named_once_by_id_and_once_by_name_is_one_token():
    films = [Film(directors=(person,)) for person in (ADA, "ADA NOVAK", "Kim")]
    vocabulary = Vocabulary.of(films)
    assert list(vocabulary.columns["director"]) == [ADA, "Kim"]
    rows = TokenRows.of(films, vocabulary).matrices["director"]
    np.testing.assert_array_equal(rows.toarray(), [[1, 0], [1, 0], [0, 1]])


def test_name_of_several_people_is_read_as_the_one_with_the_most_films():
    films = [Film(directors=(person,)) for person in (ADA, HOMONYM, HOMONYM, "Ada Novak")]
    vocabulary = Vocabulary.of(films)
    assert list(vocabulary.columns["director"]) == [HOMONYM, ADA]
    rows = TokenRows.of(films, vocabulary).matrices["director"]
    np.testing.assert_array_equal(rows.toarray(), [[0, 1], [1, 0], [1, 0], [1, 0]])


def test_person_who_was_renamed_is_one_token_with_the_most_frequent_name():
    films = [Film(directors=(Entity(7, name),)) for name in ("Old Name", "New", "New")]
    assert list(Vocabulary.of(films).columns["director"]) == [Entity(7, "New")]


def test_one_film_with_the_id_and_one_with_the_name_are_enough_for_a_keyword():
    films = [Film(keywords=(word,)) for word in (Entity(3, "island"), "Island", "sea")]
    assert list(Vocabulary.of(films).columns["keyword"]) == [Entity(3, "island")]


def test_film_counts_once_however_often_it_has_a_token():
    film = Film(plot=Plot(3, 0.0, 0.0, "lantern lantern lantern lantern lantern"))
    assert not Vocabulary.of([film] * 4).columns["plot"]


def test_rare_words_weigh_more_than_common_ones_and_names_weigh_the_same():
    common = Film(directors=("Kim Minseo",), plot=Plot(6, 0.0, 0.0, "island"))
    rare = Film(directors=("Ada Novak",), plot=Plot(7, 0.0, 0.0, "lantern"))
    vocabulary = Vocabulary.of([common] * 50 + [rare] * 5)
    columns, weights = vocabulary.columns["plot"], vocabulary.weights["plot"]
    by_word = dict(zip(columns, weights.tolist(), strict=True))
    assert by_word["lantern"] > by_word["island"]
    assert set(vocabulary.weights["director"]) == {1.0}


def test_rows_hold_each_token_once_with_its_weight():
    films = [["a", "c", "a"], [], ["b", "unknown"]]
    rows = token_matrix(films, WordIndex("abc"), np.linspace(1, 3, 3))
    np.testing.assert_array_equal(rows.toarray(), [[1, 0, 3], [0, 0, 0], [0, 2, 0]])


def test_unit_rows_have_length_one_or_zero():
    rows = unit_rows(sparse.csr_matrix(np.array([[3.0, 4.0], [0.0, 0.0]])))
    np.testing.assert_allclose(rows.toarray(), [[0.6, 0.8], [0.0, 0.0]])


def test_trait_is_present_even_if_its_tokens_are_not_in_the_vocabulary():
    some = invented_films(20)
    told = TokenRows.of(some, Vocabulary.of([Film()])).present
    for trait, tokens_of in TRAITS.items():
        assert told[trait].tolist() == [bool(list(tokens_of(film))) for film in some]


def test_frequent_tokens_are_those_of_enough_earlier_films():
    films = [Film(genres=("Drama",), directors=(name,)) for name in ("Ada", "Ada", "Kim", "Jo")]
    rows = TokenRows.of(films, Vocabulary.of(films))
    earlier = np.array([True, False, True, False])
    known = rows.frequent_tokens(earlier)
    assert known["genre"].tolist() == [True]
    assert known["director"].tolist() == [True, False, True]  # for Ada, Jo and Kim
    later = rows.select(~earlier, known)
    np.testing.assert_array_equal(later.matrices["director"].toarray(), [[1, 0, 0], [0, 0, 0]])
    assert later.present["director"].tolist() == [True, True]
