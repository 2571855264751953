from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierating.model.plot_encoder import PlotEncoder
from scripts.dataset import plot_vectors
from scripts.dataset.plot_encoder import encoder_entries, open_encoder
from scripts.dataset.plot_vectors import (
    FILE_NAME,
    KOREAN_VECTOR,
    PLOT_VECTOR,
    stacked,
    with_plot_vectors,
)


def films(*plots: str | None, korean: str | None = None) -> pd.DataFrame:
    """Create films with these English plots; the first one also has the Korean plot."""
    return pd.DataFrame(
        {
            "release_date": [f"2020-01-{at + 1:02}" for at in range(len(plots))],
            "overview": plots,
            "overview_ko": [korean, *[None] * (len(plots) - 1)],
        }
    )


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which each text is added that the plot encoder reads."""
    texts: list[str] = []
    encode = PlotEncoder.encode

    def counted(self: PlotEncoder, some: Any) -> Any:
        texts.extend(some)
        return encode(self, some)

    monkeypatch.setattr(PlotEncoder, "encode", counted)
    return texts


def test_each_plot_is_encoded_once(tmp_path: Path, encoded: list[str]):
    first = with_plot_vectors(films("a lantern", "an island", "a lantern", None), tmp_path)
    again = with_plot_vectors(films("an island", "a letter"), tmp_path)
    assert encoded == ["a lantern", "an island", "a letter"]
    assert (again[PLOT_VECTOR][0] == first[PLOT_VECTOR][1]).all()
    assert (first[PLOT_VECTOR][0] == first[PLOT_VECTOR][2]).all()
    assert first[PLOT_VECTOR][3] is None


def test_vectors_are_those_of_the_encoder(tmp_path: Path):
    found = with_plot_vectors(films("a lantern", korean="등대 편지"), tmp_path)
    with open_encoder(tmp_path) as encoder:
        english, korean = encoder.encode(["a lantern", "등대 편지"])
    np.testing.assert_array_equal(found[PLOT_VECTOR][0], english)
    np.testing.assert_array_equal(found[KOREAN_VECTOR][0], korean)


def test_only_the_newest_plots_in_korean_are_encoded(
    tmp_path: Path, encoded: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(plot_vectors, "_KOREAN_PLOTS", 2)
    texts = ["등대", "편지", "섬마을", "left in English"]
    found = with_plot_vectors(films(*"abcd").assign(overview_ko=texts), tmp_path)
    assert encoded[4:] == ["편지", "섬마을"]
    assert [each is None for each in found[KOREAN_VECTOR]] == [True, False, False, True]


def test_plots_that_no_film_has_any_more_are_forgotten(tmp_path: Path, encoded: list[str]):
    for plot in ("a", "b", "a"):
        with_plot_vectors(films(plot), tmp_path)
    assert encoded == ["a", "b", "a"]


def test_plots_of_other_films_can_be_kept(tmp_path: Path, encoded: list[str]):
    for plot in ("a", "b", "a"):
        with_plot_vectors(films(plot), tmp_path, keep_others=True)
    assert encoded == ["a", "b"]


def test_vectors_of_another_encoder_are_not_used(
    tmp_path: Path, encoded: list[str], monkeypatch: pytest.MonkeyPatch
):
    with_plot_vectors(films("a"), tmp_path)
    monkeypatch.setattr(plot_vectors, "encoder_name", lambda: "another")
    with_plot_vectors(films("a"), tmp_path)
    assert encoded == ["a", "a"]


def test_no_new_plot_writes_no_file(tmp_path: Path):
    with_plot_vectors(films("a", "b"), tmp_path)
    before = (tmp_path / FILE_NAME).stat().st_mtime_ns
    with_plot_vectors(films("a"), tmp_path)
    assert (tmp_path / FILE_NAME).stat().st_mtime_ns == before


def test_films_without_plots_need_no_encoder(tmp_path: Path):
    found = with_plot_vectors(films(None, None), tmp_path)
    assert not any(tmp_path.iterdir())
    assert np.isnan(stacked(found, PLOT_VECTOR)).all()


def test_files_of_the_encoder_are_written_once_under_their_hashes(tmp_path: Path):
    entries = encoder_entries(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "encoders").iterdir()}
    assert encoder_entries(tmp_path) == entries
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "encoders").iterdir()} == written
    names = {path.name for path in written if path.suffix != ".json"}
    assert names == {entry.sha256 for entry in entries.values()}


def test_lost_file_of_the_encoder_is_written_again(tmp_path: Path):
    entry = next(iter(encoder_entries(tmp_path).values()))
    (tmp_path / "encoders" / entry.sha256).unlink()
    encoder_entries(tmp_path)
    assert (tmp_path / "encoders" / entry.sha256).stat().st_size == entry.bytes
