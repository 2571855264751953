from pathlib import Path

import pytest

from scripts.files import DataFileError, RunFiles, check_writable, replacing, write_bytes
from tests.bundles import RUN_DATE


def test_files_of_a_run_are_named_by_its_date(tmp_path: Path):
    files = RunFiles(tmp_path, RUN_DATE)
    paths = [files.raw, files.source, files.cleaned, files.report, files.codes, files.bundle]
    assert all("2026-11-23" in path.name for path in [*paths, files.model])
    assert files.raw.name == "movies_2026-11-23.csv"
    assert files.cleaned.name == "movies_cleaned_2026-11-23.csv"
    assert files.model.name == "model_2026-11-23.pkl"


def test_file_that_fails_midway_leaves_the_old_one(tmp_path: Path):
    path = tmp_path / "films.csv"
    write_bytes(path, b"old")

    def fail_midway() -> None:
        with replacing(path) as partial:
            partial.write_bytes(b"half of the n")
            raise KeyError

    with pytest.raises(KeyError):
        fail_midway()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_disk_that_is_full_is_one_sentence(tmp_path: Path):
    def fill() -> None:
        with replacing(tmp_path / "films.csv"):
            raise OSError(28, "No space left on device")

    with pytest.raises(DataFileError, match=r"no space left on device.*; change DATA_DIR or free"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DataFileError, match=r"cannot be written \(not a directory\)"):
        check_writable(tmp_path / "file" / "data")


def test_folder_is_made_and_the_probe_taken_away(tmp_path: Path):
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
