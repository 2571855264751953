import math

import numpy as np
from scipy import sparse

from scripts.training.past_ratings import mean_past_ratings, past_ratings

# Films of three people; the third has none.
TOKENS = sparse.csr_matrix(np.array([[1, 0, 0], [2, 2, 0], [1, 0, 0]], float))
RATINGS = np.array([6.0, 8.0, 4.0])


def test_past_tells_how_many_films_their_mean_and_the_newest():
    first, second, _ = past_ratings(TOKENS, RATINGS, days_old=np.array([30.0, 20.0, 10.0]))
    np.testing.assert_allclose(first, [math.log(4), 6.0, 4.0], atol=1e-5)
    np.testing.assert_allclose(second, [math.log(2), 8.0, 8.0], atol=1e-5)


def test_newest_film_goes_by_its_release_and_not_by_its_row():
    first, *_ = past_ratings(TOKENS, RATINGS, days_old=np.array([10.0, 20.0, 30.0]))
    assert first[2] == 6.0


def test_film_has_the_mean_past_of_its_people_whatever_their_weights():
    pasts = np.array([[2.0, 7.0, 6.0], [1.0, 5.0, 8.0], [9.0, 9.0, 9.0]])
    means = mean_past_ratings(TOKENS, pasts)
    np.testing.assert_array_equal(means, [[2.0, 7.0, 6.0], [1.5, 6.0, 7.0], [2.0, 7.0, 6.0]])


def test_film_of_newcomers_has_no_films_behind_it_and_no_ratings():
    means = mean_past_ratings(sparse.csr_matrix((1, 3)), np.ones((3, 3)))
    np.testing.assert_array_equal(means, [[0.0, np.nan, np.nan]])
