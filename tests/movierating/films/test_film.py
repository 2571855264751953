from movierating.films.film import Film


def test_main_genre_is_the_first():
    assert Film(genres=("Crime", "Drama")).main_genre == "Crime"


def test_film_without_genre_has_no_main_genre():
    assert Film().main_genre is None
