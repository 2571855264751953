"""Measure by how much each fact narrows the 80 % intervals, on films that have the fact.

Each film is forecast with and without the fact. Both is done twice: if otherwise only the facts in
the UI's short form are known, and if all other facts are known.
"""

from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.model.attribution import mask_features
from movierating.model.distribution import Numbers
from movierating.model.onnx_model import Model
from movierating.model.target_encoding import ALL_EFFECTS
from movierating.registry.evidence import Narrowing
from scripts.evaluation.reliability import MIN_SUBGROUP
from scripts.training.vectors import FilmVectors

# The API's field of each feature. As in `movierating.model.attribution`, the key is the feature's
# name, or the part of the name that says the fact.
FIELDS: Final = {
    "runtime_minutes": "runtime",
    "runtime": "runtime",
    "overview_len": "overview",
    "overview_sentiment": "overview",
    "overview_subjectivity": "overview",
    "plot": "overview",
    "plot_meaning": "overview",
    "plot_score": "overview",
    "title": "title",
    "keyword": "keywords",
    "release_year": "release_date",
    "release_month": "release_date",
    "budget_usd": "budget",
    "budget": "budget",
    "genre": "genres",
    "genre_pair": "genres",
    "language": "language",
    "country": "countries",
    "director": "directors",
    "writer": "writers",
    "cast": "cast",
    "company": "companies",
    "franchise": "collection",
}
FORM_FIELDS: Final = frozenset({"overview", "genres", "language", "runtime"})


def narrowing(model: Model, films: FilmVectors) -> tuple[Narrowing, ...]:
    """Measure the mean narrowing by each field of the API that enough films have.

    Args:
        model: The model.
        films: Films that the model has not learned from.
    """
    widths = _Widths(model, films)
    fields = tuple(dict.fromkeys(FIELDS.values()))
    measured = []
    for field in fields:
        known = widths.known(field)
        if known.sum() < MIN_SUBGROUP:
            continue
        beside = [FORM_FIELDS - {field}, frozenset(fields) - {field}]
        form, everything = (
            float((widths.of(others, known) - widths.of(others | {field}, known)).mean())
            for others in beside
        )
        measured.append(
            Narrowing(
                field=field,
                films=int(known.sum()),
                beside_form=round(form, 3),
                beside_all=round(everything, 3),
            )
        )
    return tuple(measured)


class _Widths:
    """The widths of the 80 % intervals of films, of which only some facts are known."""

    def __init__(self, model: Model, films: FilmVectors) -> None:
        self._model, self._films = model, films
        self._fields = np.asarray([_field_of(name) for name in films.features])

    def known(self, field: str) -> npt.NDArray[np.bool_]:
        """Return which films have the fact, shape (films,)."""
        unknown = np.isnan(self._films.full[:, self._fields == field])
        return np.asarray(~unknown.all(axis=1))

    def of(self, fields: Collection[str], rows: npt.NDArray[np.bool_]) -> Numbers:
        """Return the widths for some films if only these fields are known, in rating points."""
        matrix = self._films.full[rows]
        visible = np.isin(self._fields, ["", *fields])
        masked = mask_features(matrix, np.broadcast_to(visible, matrix.shape), self._films.features)
        low, high = self._model.intervals(masked)
        return high - low


def _field_of(feature: str) -> str:
    """Return the API's field of a feature; empty for the sum of all effects."""
    kind, _, wanted = feature.partition("=")
    return "" if feature == ALL_EFFECTS else FIELDS[kind if kind in FIELDS else wanted]
