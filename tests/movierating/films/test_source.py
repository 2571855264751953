import pytest

from movierating.films.source import (
    TMDB,
    catalogue_films,
    describe,
    from_header,
    header_value,
    invented_films,
    is_invented,
    is_of_catalogue,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "0.0.0.0", "tmdb"])
def test_films_that_version_1_0_0_named_by_a_local_address_are_invented(host: str):
    assert is_invented(host)


@pytest.mark.parametrize(
    "source", [TMDB, "tmdb.example", "10.0.0.1", catalogue_films("invented-films", "1a")]
)
def test_films_of_tmdb_of_a_proxy_and_of_a_file_are_real(source: str):
    assert not is_invented(source)


def test_file_called_like_another_source_is_not_taken_for_it():
    names = {catalogue_films(each, "1a2b") for each in (TMDB, "127.0.0.1", "invented-films@1a2b")}
    assert names.isdisjoint({TMDB, "127.0.0.1", invented_films("1a2b")})
    assert not any(map(is_invented, names))


def test_files_of_the_same_name_differ_by_their_content():
    first, second = catalogue_films("films", "1a"), catalogue_films("films", "2b")
    assert first != second
    assert is_of_catalogue(first, "films")
    assert is_of_catalogue(second, "films")
    assert not is_of_catalogue(first, "others")
    assert not is_of_catalogue(invented_films("1a"), "films")


def test_name_of_a_file_in_any_script_fits_into_a_header_and_a_folder():
    source = catalogue_films("영화 [2022]/..", "1a2b")
    assert source == "catalogue-영화__2022__..@1a2b"
    assert header_value(source).isascii()
    assert from_header(header_value(source)) == source


def test_description_names_the_kind_of_films():
    assert describe(TMDB) == "TMDB's films (api.themoviedb.org)"
    assert describe("127.0.0.1") == "invented films (127.0.0.1)"
    assert describe(catalogue_films("a", "1")) == "the films of a file (catalogue-a@1)"
    assert describe("tmdb.example") == "the films of tmdb.example"
