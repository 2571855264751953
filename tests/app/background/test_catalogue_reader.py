import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.background.catalogue_reader import CatalogueReader
from movierating.catalogue.films import FORMAT
from movierating.catalogue.publication import FILES, POINTER_KEY, Catalogues
from movierating.s3 import Bucket
from movierating.s3_errors import S3UnavailableError
from tests.support.bundles import RUN_DATE
from tests.support.catalogues import catalogue_file, films
from tests.support.films import moment

AT = moment()


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write catalogues with one, with two and with three films."""
    folder = tmp_path_factory.mktemp("catalogues")
    return [catalogue_file(folder, films()[:count], name=f"{count}.sqlite") for count in (1, 2, 3)]


def count(reader: CatalogueReader) -> int | None:
    return reader.catalogue.about.films if reader.catalogue else None


def test_each_new_catalogue_is_copied_and_the_one_before_kept_for_requests_in_progress(
    bucket: Bucket, versions: list[Path], tmp_path: Path
):
    reader = CatalogueReader(lambda: bucket, tmp_path / "cache")
    reader.refresh()
    assert (count(reader), reader.problem) == (None, None)
    for number, path in enumerate(versions, start=1):
        before = reader.catalogue
        Catalogues(bucket).publish(path, AT)
        reader.refresh()
        reader.refresh()  # nothing has changed
        assert (count(reader), reader.problem) == (number, None)
        assert len(list((tmp_path / "cache").glob("*.sqlite"))) == min(number, 2)
        assert before is None or before.film(1, RUN_DATE)


@pytest.mark.parametrize("damage", ["missing", "changed", "pointer"])
def test_damaged_catalogue_keeps_the_one_in_use_and_is_reported(
    bucket: Bucket, versions: list[Path], tmp_path: Path, damage: str
):
    reader = CatalogueReader(lambda: bucket, tmp_path)
    Catalogues(bucket).publish(versions[0], AT)
    reader.refresh()
    key = f"{FILES}{Catalogues(bucket).publish(versions[1], AT).sha256}.sqlite"
    if damage == "missing":
        bucket.delete(key)
    else:
        bucket.put(key if damage == "changed" else POINTER_KEY, b"damaged")
    reader.refresh()
    assert count(reader) == 1
    assert reader.problem
    assert "publish it again" in reader.problem


def test_copy_of_an_earlier_process_is_used_while_s3_is_away(
    bucket: Bucket, versions: list[Path], tmp_path: Path
):
    Catalogues(bucket).publish(versions[0], AT)
    CatalogueReader(lambda: bucket, tmp_path).refresh()

    def away() -> Bucket:
        raise S3UnavailableError("S3 cannot be reached")

    reader = CatalogueReader(away, tmp_path)
    reader.start()
    reader.stop()
    assert count(reader) == 1


@pytest.mark.parametrize("name", ["films.json", "*.sqlite"])
def test_damaged_copy_of_an_earlier_process_is_ignored(
    bucket: Bucket, versions: list[Path], tmp_path: Path, name: str
):
    Catalogues(bucket).publish(versions[0], AT)
    CatalogueReader(lambda: bucket, tmp_path).refresh()
    for path in tmp_path.glob(name):
        path.write_bytes(b"damaged")
    reader = CatalogueReader(lambda: bucket, tmp_path)
    assert reader._copy_of_earlier_process() is None


def test_catalogue_of_an_older_format_is_not_used_and_the_log_says_what_replaces_it(
    bucket: Bucket, versions: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    pointer = Catalogues(bucket).publish(versions[0], AT)
    CatalogueReader(lambda: bucket, tmp_path).refresh()
    older = pointer.model_copy(update={"format": FORMAT - 1})
    bucket.put(POINTER_KEY, older.model_dump_json().encode())
    for path in tmp_path.glob("*.sqlite"):
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE about SET value = ? WHERE name = 'format'", (FORMAT - 1,))
    reader = CatalogueReader(lambda: bucket, tmp_path)
    reader.start()
    reader.stop()
    assert reader.catalogue is None
    assert f"is not used: the film catalogue has format {FORMAT - 1}" in caplog.text
    reader.refresh()
    assert reader.problem
    assert reader.problem.startswith("an older release wrote it")
    Catalogues(bucket).publish(versions[1], AT)
    reader.refresh()
    assert count(reader) == 2
