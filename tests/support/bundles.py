"""Create small model bundles for tests, from invented films."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from movierating.films.codes import Codes, CodeTable
from movierating.films.film import Film, Plot
from movierating.films.source import TMDB
from movierating.films.tokens import NAMES
from movierating.identity import sha256
from movierating.model.distribution import NormalisedErrors
from movierating.model.features import MEASUREMENTS, build_matrix
from movierating.model.onnx_model import Graph, Model
from movierating.model.similar_films import RatedFilm, SimilarFilms
from movierating.model.target_encoding import ENCODED_FEATURES, Effects, EffectTable
from movierating.registry.bundle import (
    CODES_NAME,
    DISTRIBUTION_NAME,
    EFFECTS_NAME,
    ERROR_NAME,
    MODEL_NAME,
    REFIT_FILMS_NAME,
    SIMILAR_FILMS_NAME,
    TRAINING_FILMS_NAME,
    TWIN_EFFECTS_NAME,
    TWIN_MODEL_NAME,
    Bundle,
    golden_inputs,
    write_bundle,
)
from movierating.registry.manifest import (
    MANIFEST_NAME,
    DataSource,
    Interval,
    Manifest,
    Refit,
    Scores,
    Split,
)
from movierating.registry.pointer import Pointer, Production
from movierating.registry.registry import Registry
from movierating.registry.training_films import TrainingFilms


def effects_of(
    tables: Mapping[str, Mapping[Any, tuple[float, ...]]], average: float = 6.0
) -> Effects:
    """Create target-encoded effects from `tables`: {trait: {token: (weight, effect, ...)}}.

    A token is a text, or an `Entity` with an id."""
    listed = {
        trait: EffectTable(rows, [*rows.values()] or np.empty((0, 2)), named=trait in NAMES)
        for trait, rows in tables.items()
    }
    return Effects(date(2025, 1, 1), average, listed)


RUN_DATE = date(2026, 11, 23)
GENRES = ("Drama", "Comedy", "Horror", "Animation")
LANGUAGES = ("en", "ko", "ja")
QUANTILE = 1.6
# Half of the errors are positive, and the negative ones are twice as large.
ERRORS = NormalisedErrors.of([*np.linspace(-2.5, 0, 50), *np.linspace(0, 1.25, 50)], np.ones(100))
FILES = (
    MODEL_NAME,
    ERROR_NAME,
    EFFECTS_NAME,
    SIMILAR_FILMS_NAME,
    TWIN_MODEL_NAME,
    TWIN_EFFECTS_NAME,
    TRAINING_FILMS_NAME,
    REFIT_FILMS_NAME,
    CODES_NAME,
    DISTRIBUTION_NAME,
)
# Every fact that a film can have.
FULL_FILM = Film(
    title="The Lantern: Part 2",
    genres=("Drama", "Crime"),
    original_language="ko",
    countries=("KR", "US"),
    runtime_minutes=101,
    release_date=date(2026, 10, 1),
    budget_usd=5_000_000,
    directors=("Ada Novak",),
    writers=("Kim Minseo", "Ada Novak"),
    cast=("Jo Lindqvist", "Kim Minseo"),
    companies=("Lantern Films",),
    franchise="Lanterns",
    keywords=("lantern", "island"),
    plot=Plot(40, 0.0, 0.0, "The keeper of a Lantern, and what she keeps."),
)
CODES = Codes(CodeTable(GENRES), CodeTable(LANGUAGES))
# A director whose films are rated half a point higher, and two words in plots.
EFFECTS = effects_of(
    {
        "director": {"Ada Novak": (1.0, 0.5)},
        "plot": {"lantern": (4.0, -0.2), "island": (3.0, 0.1)},
    }
)
FEATURES = (
    *MEASUREMENTS,
    *ENCODED_FEATURES,
    *(f"genre={name}" for name in GENRES),
    *(f"language={code}" for code in LANGUAGES),
)


@dataclass(frozen=True)
class Packed:
    """A model bundle on disk. Several tests share it, so copy the folder before changing a file."""

    folder: Path
    manifest: Manifest

    @property
    def manifest_sha256(self) -> str:
        """The SHA-256 of the manifest, as a pointer to this bundle contains it."""
        return sha256(self.manifest.to_bytes())

    def load(self) -> Bundle:
        """Load the bundle with its twin, and verify its files."""
        return Bundle.load(self.folder, self.manifest_sha256, with_twin=True)

    def pointer(self, **others: Any) -> Pointer:
        """Create the pointer (`production.json`) that puts this bundle into production."""
        facts = {
            "version": self.manifest.version,
            "manifest_sha256": self.manifest_sha256,
            "previous": None,
            "at": datetime(2026, 11, 23, 3, tzinfo=UTC),
            "by": "tests",
            "reason": "because a test says so",
            "run_date": self.manifest.run_date,
        }
        return Pointer.model_validate(facts | others)

    def pointer_after(self, over: Production | None) -> Pointer:
        """Create a pointer to this bundle, dated one minute after the current pointer `over`."""
        if over is None:
            return self.pointer()
        before = over.pointer
        return self.pointer(previous=before.version, at=before.at + timedelta(minutes=1))


def invented_films(count: int, seed: int = 7) -> list[Film]:
    """Create `count` random films; some facts are missing with a probability of 10 %."""
    people = ("Ada Novak", "Kim Minseo", "Jo Lindqvist")
    rng = np.random.default_rng(seed)

    def maybe(value: Any) -> Any:
        return None if rng.random() < 0.1 else value

    return [
        Film(
            directors=maybe((str(rng.choice(people)),)) or (),
            genres=maybe((str(rng.choice(GENRES)),)) or (),
            original_language=maybe(str(rng.choice(LANGUAGES))),
            runtime_minutes=maybe(float(rng.integers(60, 200))),
            release_date=maybe(date(int(rng.integers(1990, 2027)), int(rng.integers(1, 13)), 1)),
            budget_usd=maybe(float(rng.integers(1, 200)) * 1e6),
            plot=maybe(
                Plot(int(rng.integers(20, 900)), float(rng.uniform(-1, 1)), float(rng.uniform()))
            ),
        )
        for _ in range(count)
    ]


def pack(
    folder: Path,
    run_date: date = RUN_DATE,
    level: float = 6.0,
    holdout_rmse: float = 0.7,
    data_sha256: str = sha256(b""),
    source: str = TMDB,
    distance: float = 0.05,
    recipe: str | None = "recipe",
) -> Packed:
    """Create a bundle whose forecasts lie around the rating `level`.

    Its manifest states `holdout_rmse` as the model's RMSE on the hold-out films, and `source` as
    the source of the films. Its training films have the ids 0 to 299; the first 40 are the similar
    films. The served model and its twin are the same, although the manifest states a `distance`
    between their forecasts."""
    from scripts.training.models import fit_regressor  # here, because the import takes seconds
    from scripts.training.onnx_export import to_onnx

    films = invented_films(300)
    matrix = build_matrix(films, FEATURES, map(EFFECTS.encode, films))
    minutes = matrix[:, FEATURES.index("runtime_minutes")].astype(np.float64)
    longer = np.nan_to_num(minutes, nan=120) - 120
    evenly, small = np.ones(len(films)), {"n_estimators": 15, "max_depth": 3}
    graphs = {
        name: to_onnx("xgboost", fit_regressor("xgboost", small, matrix, target, evenly), matrix)
        for name, target in (
            (MODEL_NAME, level + 0.01 * longer),
            (ERROR_NAME, 0.5 + 0.002 * abs(longer)),
        )
    }
    model = Model(Graph(graphs[MODEL_NAME]), Graph(graphs[ERROR_NAME]), QUANTILE, ERRORS)
    manifest = Manifest(
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        run_date=run_date,
        commit="unknown",
        wandb_run=None,
        model_type="xgboost",
        parameters={"n_estimators": 15, "max_depth": 3},
        features=FEATURES,
        average_rating=level,
        interval80=Interval(quantile=QUANTILE, coverage=0.81, form_coverage=0.8, width=1.8),
        seen={"runtime_minutes": (60.0, 200.0), "release_year": (1990.0, 2025.0)},
        split=Split(
            split_date=date(2025, 1, 1), until=run_date, train_films=300, holdout_films=100
        ),
        metrics={name: scores(holdout_rmse) for name in ("train", "holdout", "form")},
        baselines={
            name: scores(0.8) for name in ("mean", "recent_mean", "genre_mean", "old_model")
        },
        data=DataSource(sha256=data_sha256, films=400, source=source),
        libraries={},
        files={},
        golden=golden_inputs(model, matrix[:5]),
        kernel="Haswell",
        recipe=recipe,
        refit=Refit(until=run_date, train_films=400, distance=distance),
    )
    files = graphs | {
        EFFECTS_NAME: json.dumps(EFFECTS.to_json()).encode(),
        SIMILAR_FILMS_NAME: SimilarFilms.build(
            films[:40], [RatedFilm(at, f"Film {at}", 2000 + at, 6.5) for at in range(40)]
        ).to_bytes(),
        TWIN_MODEL_NAME: graphs[MODEL_NAME],
        TWIN_EFFECTS_NAME: json.dumps(EFFECTS.to_json()).encode(),
        TRAINING_FILMS_NAME: TrainingFilms.of(range(len(films))).to_bytes(),
        REFIT_FILMS_NAME: TrainingFilms.of(range(400)).to_bytes(),
        CODES_NAME: json.dumps(CODES.to_json()).encode(),
        DISTRIBUTION_NAME: json.dumps(ERRORS.to_json()).encode(),
    }
    return Packed(folder, write_bundle(folder, manifest, files))


def packed_in(folder: Path) -> Packed:
    """Return the bundle in `folder`, which `pack` created earlier."""
    return Packed(folder, Manifest.model_validate_json((folder / MANIFEST_NAME).read_bytes()))


def scores(rmse: float) -> Scores:
    """Create a manifest's scores with the given RMSE; the other numbers do not matter."""
    return Scores(n=100, rmse=rmse, mae=rmse, r2=0.2, bias=0.0)


def put_into_production(
    registry: Registry, packed: Packed, over: Production | None = None
) -> Production:
    """Publish a bundle in the registry, and make it the model in production."""
    registry.publish(packed.folder, packed.manifest)
    registry.promote(packed.pointer_after(over), over)
    current = registry.production()
    assert current is not None
    return current
