import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movierating.films.codes import Codes
from movierating.films.film import Entity
from movierating.identity import sha256
from movierating.model.other_names import OtherNames
from movierating.registry.bundle import (
    REFIT_FILMS_NAME,
    TWIN_EFFECTS_NAME,
    TWIN_MODEL_NAME,
    Bundle,
)
from movierating.registry.manifest import Manifest
from movierating.registry.training_films import TrainingFilms
from scripts.dataset.split import TimeSplit
from scripts.parameters import ModelConfig
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import write_bytes, write_json
from scripts.training import bundling
from scripts.training.bundling import assemble, known_names, write
from scripts.training.refit import LARGEST_DISTANCE, Refit, refit
from scripts.training.selection import TrainingResult, train_candidates
from tests.support.bundles import RUN_DATE, effects_of
from tests.support.samples import SMALL, as_csv, split_of, years_of_films

TREES = ModelConfig(model_type="lgbm", parameters=SMALL.parameters)


@pytest.fixture(scope="module")
def split() -> TimeSplit:
    return split_of(years_of_films())


@pytest.fixture(scope="module")
def result(split: TimeSplit) -> TrainingResult:
    return train_candidates(split, TREES)


def bundle_of(result: TrainingResult, split: TimeSplit, folder: Path) -> tuple[Manifest, Bundle]:
    """Write a bundle with the pipeline's functions, and load it with its twin."""
    files = RunFiles(folder, RUN_DATE)
    write_bytes(files.cleaned, as_csv(years_of_films()))
    write_json(files.codes, Codes().to_json())
    write_json(files.preprocess_report, {"source": "tests", "collected": 320})
    write_json(files.collect_report, {"source": "tests", "validation": {"faults": {}}})
    manifest, _, contents = assemble(result, TREES, split, files)
    manifest = write(manifest, contents, files)
    sha = sha256(manifest.to_bytes())
    return manifest, Bundle.load(folder / files.bundle.name, sha, with_twin=True)


def test_refitted_model_serves_and_its_measured_twin_stays_in_the_bundle(
    split: TimeSplit, result: TrainingResult, tmp_path: Path
):
    manifest, bundle = bundle_of(result, split, tmp_path)
    films = split.holdout.films
    assert manifest.refit
    assert manifest.refused_refit is None
    assert 0 < manifest.refit.distance < LARGEST_DISTANCE
    assert manifest.refit.train_films == len(split.train) + len(split.holdout)
    measured = result.best.regressor.predict(result.films.evaluation_films().full)
    np.testing.assert_allclose(bundle.measured.ratings(films), measured, atol=1e-4)
    assert np.abs(bundle.forecast(films) - measured).max() > 0.01
    assert bundle.training_films.ids.tolist() == sorted(split.train.frame["id"])


def test_other_names_are_those_of_people_whom_the_effects_know():
    effects = effects_of(
        {
            "director": {Entity(1, "Ada"): (1.0, 0.1)},
            "cast": {Entity(2, "Bo"): (1.0, 0.1)},
            "company": {Entity(3, "Ciné"): (1.0, 0.1)},
        }
    )
    names = OtherNames({number: [f"other {number}"] for number in (1, 2, 3, 4)})
    assert dict(known_names(effects, names)) == {1: ["other 1"], 2: ["other 2"]}
    assert not known_names(effects, OtherNames())


def test_refused_refit_leaves_the_measured_model_in_service(
    split: TimeSplit,
    result: TrainingResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    def broken(*arguments: object) -> Refit:
        sound = refit(*arguments)  # type: ignore[arg-type]
        return replace(sound, effects=replace(sound.effects, average=sound.effects.average + 0.3))

    monkeypatch.setattr(bundling, "refit", broken)
    with caplog.at_level(logging.WARNING):
        manifest, bundle = bundle_of(result, split, tmp_path)
    assert manifest.refit is None
    assert manifest.refused_refit is not None
    assert manifest.refused_refit > LARGEST_DISTANCE
    assert not {TWIN_MODEL_NAME, TWIN_EFFECTS_NAME, REFIT_FILMS_NAME} & manifest.files.keys()
    measured = result.best.regressor.predict(result.films.evaluation_films().full)
    np.testing.assert_allclose(bundle.forecast(split.holdout.films), measured, atol=1e-4)
    assert bundle.measured == bundle.predictor
    assert "the measured model will serve" in caplog.text


def test_bundle_lists_all_films_of_the_refitted_model(
    split: TimeSplit, result: TrainingResult, tmp_path: Path
):
    bundle_of(result, split, tmp_path)
    files = RunFiles(tmp_path, RUN_DATE)
    raw = (tmp_path / files.bundle.name / REFIT_FILMS_NAME).read_bytes()
    every = {*split.train.frame["id"], *split.holdout.frame["id"]}
    assert set(TrainingFilms.from_bytes(raw).ids) == every
