import numpy as np

from movierating.films.film import Film, Plot
from movierating.model.attribution import group_of
from movierating.model.features import build_matrix
from movierating.model.target_encoding import ALL_EFFECTS
from scripts.training.masking import mask_at_random
from tests.support.bundles import effects_of

FILM = Film(genres=("Drama",), runtime_minutes=100, plot=Plot(9, 0.3, 0.5, "A letter."))
FEATURES = (
    "runtime_minutes",
    "overview_len",
    "overview_sentiment",
    "overview_subjectivity",
    ALL_EFFECTS,
    "effect=genre",
    "effect=runtime",
    "effect=plot",
    "genre=Drama",
)
EFFECTS = effects_of(
    {"genre": {"Drama": (1, 0.5)}, "plot": {"letter": (1, 0.25)}, "runtime": {"5": (1, 0.125)}}
)


def drawn(count: int = 400):
    whole = build_matrix([FILM] * count, FEATURES, [EFFECTS.encode(FILM)] * count)
    return whole, mask_at_random(whole, FEATURES)


def test_sketches_hide_the_facts_of_a_group_together_and_show_from_none_to_all():
    _, masked = drawn()
    known = ~np.isnan(masked)
    genre = [at for at, name in enumerate(FEATURES) if group_of(name) == "genre"]
    assert (known[:, genre[0]] == known[:, genre[1]]).all()
    assert {0, len(FEATURES) - 1} <= set((known.sum(axis=1) - 1).tolist())


def test_sum_of_effects_holds_only_what_a_sketch_shows():
    _, masked = drawn()
    shown = [FEATURES.index(f"effect={trait}") for trait in ("genre", "runtime", "plot")]
    total = 6.0 + np.nansum(masked[:, shown], axis=1)
    np.testing.assert_allclose(masked[:, FEATURES.index(ALL_EFFECTS)], total, atol=1e-6)


def test_sketches_are_the_same_in_every_run():
    np.testing.assert_array_equal(drawn()[1], drawn()[1])
