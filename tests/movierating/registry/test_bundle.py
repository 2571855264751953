import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from movierating.films.film import Entity, Film, Plot
from movierating.identity import sha256
from movierating.model.other_names import OtherNames
from movierating.model.plot_encoder import ENCODER_FILES
from movierating.registry.bundle import (
    CARD_NAME,
    CODES_NAME,
    DISTRIBUTION_NAME,
    EFFECTS_NAME,
    ERROR_NAME,
    EVIDENCE_NAME,
    MODEL_NAME,
    OTHER_NAMES_NAME,
    REFIT_FILMS_NAME,
    SIMILAR_FILMS_NAME,
    TRAINING_FILMS_NAME,
    TWIN_EFFECTS_NAME,
    TWIN_MODEL_NAME,
    Bundle,
    encoders_beside,
    write_bundle,
)
from movierating.registry.evidence import Evidence
from movierating.registry.manifest import (
    MANIFEST_NAME,
    MAX_BUNDLE_BYTES,
    BundleError,
    FileEntry,
    GoldenInput,
    parse_manifest,
)
from scripts.training.models import fit_regressor
from scripts.training.onnx_export import to_onnx
from tests.support.bundles import (
    CODES,
    EFFECTS,
    ERRORS,
    FEATURES,
    FILES,
    QUANTILE,
    Packed,
    effects_of,
    invented_films,
)
from tests.support.encoders import with_encoder


@pytest.fixture
def copied(packed: Packed, tmp_path: Path) -> Packed:
    """Copy the test bundle, so that a test may change its files."""
    folder = tmp_path / "bundle"
    shutil.copytree(packed.folder, folder)
    return Packed(folder, packed.manifest)


def rewritten(packed: Packed, files: dict[str, bytes] | None = None, **facts: Any) -> Packed:
    """Write a bundle again with other files or manifest fields (`facts`), and correct hashes."""
    kept = {name: (packed.folder / name).read_bytes() for name in FILES}
    manifest = packed.manifest.model_copy(update=facts)
    return Packed(packed.folder, write_bundle(packed.folder, manifest, kept | (files or {})))


def error_graph(features: int) -> bytes:
    """Train a model that predicts the absolute error, for vectors with this number of features.

    Returns:
        The model as the bytes of an ONNX file."""
    matrix = np.random.default_rng(1).normal(0, 1, (50, features)).astype(np.float32)
    target = np.abs(matrix[:, 0]).astype(float)
    small = {"n_estimators": 2, "num_leaves": 3}
    return to_onnx("lgbm", fit_regressor("lgbm", small, matrix, target, np.ones(50)), matrix)


def test_written_bundle_loads_with_all_its_parts(packed: Packed):
    bundle = packed.load()
    assert bundle.manifest == packed.manifest
    assert bundle.codes == CODES
    assert bundle.effects == EFFECTS
    assert bundle.model.quantile == QUANTILE
    assert bundle.model.errors == ERRORS


def test_every_kind_of_film_gets_a_rating_in_range(packed: Packed):
    films = [Film(), *invented_films(50, seed=1), Film(budget_usd=1e12, plot=Plot(10**6, -1.0))]
    bundle = packed.load()
    ratings, half_widths = bundle.forecast(films), bundle.model.half_widths(bundle.matrix(films))
    assert ratings.shape == half_widths.shape == (len(films),)
    assert ((ratings >= 0) & (ratings <= 10)).all()
    assert (half_widths > 0).all()


def test_vector_has_the_effects_of_the_bundle(packed: Packed):
    film = Film(directors=("Ada Novak",), plot=Plot(7, 0.0, 0.0, "A lantern."))
    vector = dict(zip(FEATURES, packed.load().matrix([film])[0].tolist(), strict=True))
    assert vector["effect=director"] == 0.5
    assert vector["effect=plot"] == pytest.approx(-0.2)
    assert vector["effect=all"] == pytest.approx(6.3)
    assert np.isnan(vector["effect=writer"])


def test_forecast_does_not_depend_on_other_films(packed: Packed):
    bundle, films = packed.load(), invented_films(20, seed=2)
    together = bundle.forecast(films)
    alone = np.concatenate([bundle.forecast([film]) for film in films])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("name", [*FILES, MANIFEST_NAME])
@pytest.mark.parametrize("position", [0, 1000, -1])
def test_one_altered_byte_is_found(copied: Packed, name: str, position: int):
    path = copied.folder / name
    raw = bytearray(path.read_bytes())
    raw[position % len(raw)] ^= 1
    path.write_bytes(raw)
    with pytest.raises(BundleError, match=f"^{name} does not have the SHA-256"):
        copied.load()


@pytest.mark.parametrize("name", [*FILES, MANIFEST_NAME])
def test_missing_file_is_named(copied: Packed, name: str):
    (copied.folder / name).unlink()
    with pytest.raises(BundleError, match=f"^{name} is missing from the bundle$"):
        copied.load()


def test_altered_file_is_found_before_it_is_parsed(copied: Packed, monkeypatch: pytest.MonkeyPatch):
    (copied.folder / MODEL_NAME).write_bytes(b"altered")
    for name in ("Graph", "Model", "Codes", "Effects", "SimilarFilms"):
        monkeypatch.setattr(f"movierating.registry.bundle.{name}", None)
    with pytest.raises(BundleError, match="SHA-256"):
        copied.load()


@pytest.mark.parametrize("name", FILES)
def test_manifest_must_name_the_file(copied: Packed, name: str):
    files = {key: entry for key, entry in copied.manifest.files.items() if key != name}
    manifest = copied.manifest.model_copy(update={"files": files})
    (copied.folder / MANIFEST_NAME).write_bytes(manifest.to_bytes())
    with pytest.raises(BundleError, match=f"^the manifest names no {name}$"):
        Packed(copied.folder, manifest).load()


def test_bundle_of_version_1_0_0_knows_only_the_training_films_among_the_similar_films(
    copied: Packed,
):
    assert copied.load().training_films.ids.tolist() == list(range(300))
    files = {name: (copied.folder / name).read_bytes() for name in FILES}
    newer = (TRAINING_FILMS_NAME, DISTRIBUTION_NAME, REFIT_FILMS_NAME)
    for name in (*newer, TWIN_MODEL_NAME, TWIN_EFFECTS_NAME):
        del files[name]
    facts = {"format": 2, "recipe": None, "kernel": None, "refit": None}
    old = copied.manifest.model_copy(update=facts)
    bundle = Packed(copied.folder, write_bundle(copied.folder, old, files)).load()
    assert bundle.measured == bundle.predictor
    assert bundle.training_films.ids.tolist() == [film.id for film in bundle.similar_films.films]
    assert bundle.model.errors is None


def test_bundle_whose_refit_was_refused_has_no_twin(copied: Packed):
    twin = (TWIN_MODEL_NAME, TWIN_EFFECTS_NAME, REFIT_FILMS_NAME)
    files = {name: (copied.folder / name).read_bytes() for name in FILES if name not in twin}
    manifest = copied.manifest.model_copy(update={"refit": None, "refused_refit": 0.31})
    bundle = Packed(copied.folder, write_bundle(copied.folder, manifest, files)).load()
    assert bundle.measured == bundle.predictor


@pytest.mark.parametrize("name", [TWIN_MODEL_NAME, TWIN_EFFECTS_NAME, REFIT_FILMS_NAME])
def test_bundle_of_a_refitted_model_needs_its_twin(copied: Packed, name: str):
    files = {each: (copied.folder / each).read_bytes() for each in FILES if each != name}
    incomplete = Packed(copied.folder, write_bundle(copied.folder, copied.manifest, files))
    with pytest.raises(BundleError, match=f"the manifest names no {name}"):
        incomplete.load()


def test_service_loads_no_twin(packed: Packed):
    """A twin would need as much memory as the served model."""
    served = Bundle.load(packed.folder, packed.manifest_sha256)
    assert served.twin is None
    with pytest.raises(BundleError, match="loaded without its twin"):
        assert served.measured
    assert packed.load().measured.features == FEATURES


def test_pickle_among_the_files_is_never_opened(copied: Packed, monkeypatch: pytest.MonkeyPatch):
    bomb = rewritten(copied, {"best_model.pkl": b"cos\nsystem\n(S'false'\ntR."})
    for name in ("load", "loads", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, pytest.fail)
    assert "best_model.pkl" in bomb.load().manifest.files


@pytest.mark.parametrize("name", [MODEL_NAME, TWIN_MODEL_NAME, ERROR_NAME])
def test_model_that_is_not_onnx_is_refused(copied: Packed, name: str):
    broken = rewritten(copied, {name: b"\x80\x04N."})
    with pytest.raises(BundleError, match=f"^{name} is not a model that can be opened$"):
        broken.load()


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        (CODES_NAME, b""),
        (CODES_NAME, b"[]"),
        (CODES_NAME, b'{"genres": []}'),
        (CODES_NAME, b'{"genres": 1, "languages": 2}'),
        (EFFECTS_NAME, b""),
        (EFFECTS_NAME, b"[]"),
        (EFFECTS_NAME, b"{}"),
        (EFFECTS_NAME, b'{"as_of": "2026-01-01", "average": 6, "tables": {"genre": {"A": 1}}}'),
        (TWIN_EFFECTS_NAME, b"{}"),
        (OTHER_NAMES_NAME, b"[]"),
        (OTHER_NAMES_NAME, b'{"ids": "AAAA", "names": ["x"]}'),
        (SIMILAR_FILMS_NAME, b""),
        (SIMILAR_FILMS_NAME, b"\x80\x04N."),
        (SIMILAR_FILMS_NAME, b"PK\x03\x04"),
        (TRAINING_FILMS_NAME, b""),
        (TRAINING_FILMS_NAME, b"[1, 2]"),
        (DISTRIBUTION_NAME, b""),
        (DISTRIBUTION_NAME, b"[]"),
        (DISTRIBUTION_NAME, b'{"quantiles": [0, 1]}'),
        (DISTRIBUTION_NAME, b'{"quantiles": [1, 0], "trend": 0}'),
        (DISTRIBUTION_NAME, b'{"quantiles": [0, NaN], "trend": 0}'),
        (EVIDENCE_NAME, b""),
        (EVIDENCE_NAME, b'{"slices": [], "calibration": []}'),
    ],
)
def test_file_with_wrong_content_is_refused(copied: Packed, name: str, raw: bytes):
    with pytest.raises(BundleError, match=f"^{name} does not hold what it should$"):
        rewritten(copied, {name: raw}).load()


def test_evidence_and_card_are_loaded_if_the_bundle_has_them(copied: Packed):
    assert (copied.load().evidence, copied.load().card) == (None, None)
    evidence = Evidence(slices=(), calibration=(), importance={"plot": 0.2})
    files = {EVIDENCE_NAME: evidence.model_dump_json().encode(), CARD_NAME: b"# Model card"}
    bundle = rewritten(copied, files).load()
    assert (bundle.evidence, bundle.card) == (evidence, "# Model card")


def test_other_names_of_people_are_loaded_if_the_bundle_has_them(copied: Packed):
    assert copied.load().effects.names("director").find("봉준호") is None
    bong = Entity(4296970329, "Bong Joon Ho")
    effects = effects_of({"director": {bong: (1.0, 0.5)}, "company": {bong: (1.0, 0.5)}})
    names = OtherNames({bong.id: ["봉준호", "Joon-ho Bong"], 8: ["nobody"]})
    files = {
        EFFECTS_NAME: json.dumps(effects.to_json()).encode(),
        OTHER_NAMES_NAME: json.dumps(names.to_json()).encode(),
    }
    loaded = rewritten(copied, files).load().effects
    for name in ("봉준호", "Bong Joon-ho", "Joon-ho Bong", "Bong Joonho"):
        assert loaded.names("director").find(name) == 0
    assert loaded.names("company").find("봉준호") is None  # an id of another kind


def test_code_table_with_a_duplicate_name_is_refused(copied: Packed):
    raw = json.dumps({"genres": ["Drama", "Drama"], "languages": []}).encode()
    with pytest.raises(BundleError, match=r"^codes.json does not hold"):
        rewritten(copied, {CODES_NAME: raw}).load()


@pytest.mark.parametrize("answer", ["rating", "half_width"])
def test_golden_input_with_another_output_is_refused(copied: Packed, answer: str):
    first, *others = copied.manifest.golden
    wrong = first.model_copy(update={answer: getattr(first, answer) + 0.5})
    with pytest.raises(BundleError, match=r"^a golden answer differs by 0\.5000 rating points$"):
        rewritten(copied, golden=(wrong, *others)).load()


def test_interval_with_another_quantile_is_refused(copied: Packed):
    wider = copied.manifest.interval80.model_copy(update={"quantile": QUANTILE + 0.5})
    with pytest.raises(BundleError, match="a golden answer differs by"):
        rewritten(copied, interval80=wider).load()


def test_bundle_without_golden_inputs_is_refused(copied: Packed):
    with pytest.raises(BundleError, match="no golden answers"):
        rewritten(copied, golden=()).load()


def test_golden_vector_of_wrong_length_is_refused(copied: Packed):
    short = GoldenInput(vector=(1.0,), rating=6.0, half_width=1.0)
    with pytest.raises(BundleError, match="golden vector"):
        rewritten(copied, golden=(*copied.manifest.golden, short)).load()


def test_unknown_feature_is_refused_before_serving(copied: Packed):
    features = (*FEATURES[:-1], "director=7")
    with pytest.raises(BundleError, match="'director=7' is not known here"):
        rewritten(copied, features=features).load()


def test_features_that_do_not_fit_the_model_are_refused(copied: Packed):
    with pytest.raises(BundleError, match="does not take the manifest's features"):
        rewritten(copied, features=FEATURES[:-1]).load()


def test_error_model_that_does_not_fit_the_features_is_refused(copied: Packed):
    other = error_graph(len(FEATURES) + 1)
    with pytest.raises(BundleError, match="does not take the manifest's features"):
        rewritten(copied, {ERROR_NAME: other}).load()


def test_writing_the_same_again_gives_the_same_version(packed: Packed, tmp_path: Path):
    files = {name: (packed.folder / name).read_bytes() for name in FILES}
    again = write_bundle(tmp_path, packed.manifest, files)
    assert again == packed.manifest
    assert Bundle.load(tmp_path, packed.manifest_sha256).manifest.version == again.version


def test_file_larger_than_the_manifest_says_is_refused_unread(copied: Packed):
    path = copied.folder / MODEL_NAME
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(BundleError, match=f"{MODEL_NAME} has more than the"):
        copied.load()


def test_bundle_larger_than_the_memory_may_hold_is_refused(copied: Packed):
    entry = copied.manifest.files[MODEL_NAME].model_copy(update={"bytes": MAX_BUNDLE_BYTES})
    files = copied.manifest.files | {MODEL_NAME: entry}
    raw = copied.manifest.model_copy(update={"files": files}).to_bytes()
    with pytest.raises(BundleError, match="train on fewer films"):
        parse_manifest(raw, sha256(raw))


def test_plot_encoder_larger_than_the_memory_may_hold_is_refused(copied: Packed):
    entry = FileEntry(sha256="0" * 64, bytes=MAX_BUNDLE_BYTES + 1)
    raw = copied.manifest.model_copy(update={"encoder": {"plot_encoder.onnx": entry}}).to_bytes()
    with pytest.raises(BundleError, match="a file of the plot encoder has more than"):
        parse_manifest(raw, sha256(raw))


def test_graph_with_parts_in_another_file_is_refused(copied: Packed):
    path = copied.folder / "external.onnx"
    model = onnx.load_from_string((copied.folder / MODEL_NAME).read_bytes())
    weights = onnx.numpy_helper.from_array(np.zeros(1_000, np.float32), "weights")
    model.graph.initializer.append(weights)
    onnx.save_model(model, str(path), save_as_external_data=True, location="weights.bin")
    with pytest.raises(BundleError, match=r"parts of model.onnx are in other files"):
        rewritten(copied, {MODEL_NAME: path.read_bytes()}).load()


@pytest.fixture
def reading(packed: Packed, tmp_path: Path) -> Packed:
    """Return a bundle with a plot encoder; tests may change its files."""
    return with_encoder(packed, tmp_path / "bundle")


def encoder_file(reading: Packed, name: str) -> Path:
    return encoders_beside(reading.folder) / reading.manifest.encoder[name].sha256


def test_plots_are_read_with_the_encoder_of_the_bundle(reading: Packed):
    bundle = reading.load()
    assert bundle.encoder
    texts = ["A lantern.", "등대"]
    films = [
        Film(plot=Plot(7, 0.0, 0.0, texts[0])),
        Film(plot=Plot(None, None, None, texts[1], "ko")),
        Film(plot=Plot(7, 0.0)),
        Film(),
    ]
    column = FEATURES.index("effect=plot_meaning")
    sums = bundle.encoder.encode(texts).astype(float).sum(axis=1)
    expected = [*sums, np.nan, np.nan]
    np.testing.assert_allclose(bundle.matrix(films)[:, column], expected, rtol=1e-5)


@pytest.mark.parametrize("name", ENCODER_FILES)
def test_altered_or_missing_file_of_the_encoder_is_named(reading: Packed, name: str):
    path = encoder_file(reading, name)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BundleError, match=f"^{name} does not have the SHA-256"):
        reading.load()
    path.unlink()
    with pytest.raises(BundleError, match=f"^{name} of the plot encoder is missing$"):
        reading.load()


def test_weights_of_plots_need_an_encoder(reading: Packed):
    manifest = reading.manifest.model_copy(update={"encoder": {}})
    (reading.folder / MANIFEST_NAME).write_bytes(manifest.to_bytes())
    with pytest.raises(BundleError, match="needs a plot encoder, but the manifest names none"):
        Packed(reading.folder, manifest).load()


def test_served_model_has_learned_from_the_films_of_the_refit(copied: Packed):
    bundle = copied.load()
    newest = set(bundle.served_films.ids.tolist()) - set(bundle.training_films.ids.tolist())
    assert newest
    assert bundle.served_films.contain(sorted(newest)).all()
