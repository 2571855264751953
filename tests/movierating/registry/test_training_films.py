import io

import numpy as np
import pytest

from movierating.registry.training_films import TrainingFilms


def test_films_survive_their_own_bytes_in_any_order():
    films = TrainingFilms.of([7, 3, 7, 900_000])
    again = TrainingFilms.from_bytes(films.to_bytes())
    assert again.ids.tolist() == [3, 7, 900_000]
    assert films.to_bytes() == TrainingFilms.of([900_000, 3, 7]).to_bytes()
    assert again.contain([1, 3, 900_000]).tolist() == [False, True, True]


def test_no_films_are_a_list_too():
    assert not TrainingFilms.from_bytes(TrainingFilms.of(()).to_bytes()).contain([1]).any()


def _stored(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[1, 2]",
        _stored(np.zeros(2)),
        _stored(np.zeros((2, 2), np.int64)),
        _stored(np.asarray(None)),
    ],
)
def test_other_bytes_are_refused(raw: bytes):
    with pytest.raises(ValueError, match=r"^the bytes are not a list of films$"):
        TrainingFilms.from_bytes(raw)
