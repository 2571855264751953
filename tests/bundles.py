"""Small bundles, made in a moment from invented films."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from movierating.bundle import CODES_NAME, MODEL_NAME, Bundle, Model, golden_answers, write_bundle
from movierating.encoders import Codes, CodeTable
from movierating.features import MEASUREMENTS, build_matrix
from movierating.film import Film, Plot
from movierating.manifest import DataSource, Interval, Manifest, Scores, Split, sha256
from movierating.registry import Pointer, Production, Registry

RUN_DATE = date(2026, 11, 23)
GENRES = ("Drama", "Comedy", "Horror", "Animation")
LANGUAGES = ("en", "ko", "ja")
CODES = Codes(CodeTable(GENRES), CodeTable(LANGUAGES))
FEATURES = (
    *MEASUREMENTS,
    *(f"genre={name}" for name in GENRES),
    *(f"language={code}" for code in LANGUAGES),
)


@dataclass(frozen=True)
class Packed:
    """A bundle on disk. Copy the folder before altering it: others read it too."""

    folder: Path
    manifest: Manifest

    @property
    def manifest_sha256(self) -> str:
        """What a pointer to it names."""
        return sha256(self.manifest.encoded())

    def load(self) -> Bundle:
        """The bundle, verified."""
        return Bundle.load(self.folder, self.manifest_sha256)

    def pointer(self, **others: Any) -> Pointer:
        """What puts it into production."""
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


def invented_films(count: int, seed: int = 7) -> list[Film]:
    """Films of all kinds, each fact missing now and then."""
    rng = np.random.default_rng(seed)

    def maybe(value: Any) -> Any:
        return None if rng.random() < 0.1 else value

    return [
        Film(
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
    folder: Path, run_date: date = RUN_DATE, level: float = 6.0, holdout_rmse: float = 0.7
) -> Packed:
    """Make a bundle whose ratings lie around `level`, measured at `holdout_rmse` by its word."""
    from scripts.candidates import make_regressor, to_onnx  # some seconds

    films = invented_films(300)
    matrix = build_matrix(films, FEATURES)
    longer = np.nan_to_num(matrix[:, FEATURES.index("runtime_minutes")], nan=120) - 120
    regressor = make_regressor("xgboost", {"n_estimators": 15, "max_depth": 3})
    regressor.fit(matrix, level + 0.01 * longer)
    onnx = to_onnx("xgboost", regressor, matrix)
    manifest = Manifest(
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        run_date=run_date,
        commit="unknown",
        wandb_run=None,
        model_type="xgboost",
        parameters={"n_estimators": 15, "max_depth": 3},
        features=FEATURES,
        average_rating=level,
        interval80=Interval(half_width=0.9, coverage=0.81),
        split=Split(
            split_date=date(2025, 1, 1), until=run_date, train_films=300, holdout_films=100
        ),
        metrics={name: scores(holdout_rmse) for name in ("train", "holdout", "form")},
        baselines={
            name: scores(0.8) for name in ("mean", "recent_mean", "genre_mean", "old_model")
        },
        data=DataSource(sha256=sha256(b""), films=400, source="invented"),
        libraries={},
        files={},
        golden=golden_answers(Model(onnx), matrix[:5]),
    )
    files = {MODEL_NAME: onnx, CODES_NAME: json.dumps(CODES.to_json()).encode()}
    return Packed(folder, write_bundle(folder, manifest, files))


def scores(rmse: float) -> Scores:
    """Scores of which only the RMSE matters."""
    return Scores(n=100, rmse=rmse, mae=rmse, r2=0.2, bias=0.0)


def put_into_production(
    registry: Registry, packed: Packed, over: Production | None = None
) -> Production:
    """Publish a bundle and point production at it."""
    registry.publish(packed.folder, packed.manifest)
    registry.promote(packed.pointer(), over)
    current = registry.production()
    assert current is not None
    return current
