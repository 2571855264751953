from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from app.film_facts import FilmFacts
from movierating.model.attribution import GROUPS
from movierating.model.onnx_model import Model
from movierating.registry.evidence import Narrowing
from scripts.evaluation.narrowing import FIELDS, FORM_FIELDS, narrowing
from scripts.evaluation.reliability import MIN_SUBGROUP
from scripts.training.vectors import FilmVectors

FEATURES = ("runtime_minutes", "effect=director", "mean=director", "genre=Drama", "effect=all")
FILMS = 60


@dataclass
class WidthByFacts:
    """A model whose interval is 2 points wide, and less wide by a number for each known feature."""

    narrower: dict[str, float]

    def intervals(
        self, matrix: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        by = np.asarray([self.narrower.get(name, 0.0) for name in FEATURES])
        width = 2.0 - (~np.isnan(matrix) * by).sum(axis=1)
        # A director narrows less if the running time is known too.
        both = ~np.isnan(matrix[:, 0]) & ~np.isnan(matrix[:, 1])
        return 6 - width / 2 - 0.05 * both, 6 + width / 2


def measured(narrower: dict[str, float], with_director: Sequence[bool]) -> dict[str, Narrowing]:
    full = np.ones((FILMS, len(FEATURES)), np.float32)
    full[~np.asarray(with_director), 1:3] = np.nan
    empty = np.zeros(FILMS)
    films = FilmVectors(FEATURES, full, full, empty, empty, empty, empty, empty)  # type: ignore[arg-type]
    found = narrowing(cast(Model, WidthByFacts(narrower)), films)
    return {each.field: each for each in found}


def test_narrowing_is_the_mean_over_films_that_have_the_fact():
    with_director = [at % 2 == 0 for at in range(FILMS)]
    found = measured({"effect=director": 0.3, "runtime_minutes": 0.5}, with_director)
    assert list(found) == ["runtime", "genres", "directors"]
    assert found["directors"].films == FILMS / 2
    assert found["runtime"].films == FILMS
    # The running time is in the form, so it is known in both cases.
    assert found["directors"].beside_form == pytest.approx(0.25)
    assert found["directors"].beside_all == pytest.approx(0.25)
    assert found["runtime"].beside_form == pytest.approx(0.5)
    assert found["runtime"].beside_all == pytest.approx(0.475)
    assert found["genres"].beside_form == 0


def test_fact_of_few_films_is_left_out():
    few = [at < MIN_SUBGROUP - 1 for at in range(FILMS)]
    assert "directors" not in measured({}, few)


def test_every_fact_of_the_model_is_a_field_of_the_api():
    assert FIELDS.keys() == GROUPS.keys()
    fields: Any = FilmFacts.model_fields
    assert set(FIELDS.values()) <= set(fields)
    assert set(FIELDS.values()) >= FORM_FIELDS
