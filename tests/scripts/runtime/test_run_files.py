from pathlib import Path

import pytest

from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataFileError
from tests.support.bundles import RUN_DATE


def test_names_of_a_runs_files_contain_its_date(tmp_path: Path):
    files = RunFiles(tmp_path, RUN_DATE)
    paths = [
        files.collected,
        files.collect_report,
        files.cleaned,
        files.preprocess_report,
        files.codes,
        files.bundle,
    ]
    assert all("2026-11-23" in path.name for path in [*paths, files.legacy_model])
    assert files.collected.name == "movies_2026-11-23.csv"
    assert files.cleaned.name == "movies_cleaned_2026-11-23.csv"
    assert files.legacy_model.name == "model_2026-11-23.pkl"


def test_missing_file_names_the_step_that_writes_it(tmp_path: Path):
    files = RunFiles(tmp_path, RUN_DATE)
    with pytest.raises(DataFileError, match="is missing; run collect for 2026-11-23 first"):
        files.require(files.collected, "collect")
    files.collected.touch()
    assert files.require(files.collected, "collect") == files.collected
