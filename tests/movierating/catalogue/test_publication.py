from pathlib import Path
from unittest.mock import patch

import pytest

from movierating.catalogue.films import FORMAT, FilmCatalogue
from movierating.catalogue.publication import (
    FILES,
    POINTER_KEY,
    CataloguePointer,
    Catalogues,
    PublicationError,
    file_sha256,
)
from movierating.films.source import invented_films
from movierating.s3 import Bucket
from movierating.s3_errors import PreconditionFailedError
from tests.support.bundles import RUN_DATE
from tests.support.catalogues import catalogue_file, films
from tests.support.dying_bucket import DyingBucket, KilledError
from tests.support.films import moment

AT = moment(hour=13)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write three different catalogues."""
    folder = tmp_path_factory.mktemp("catalogues")
    return [catalogue_file(folder, films()[:count], name=f"{count}.sqlite") for count in (1, 2, 3)]


@pytest.fixture
def catalogues(bucket: Bucket) -> Catalogues:
    return Catalogues(bucket)


def pointer_of(catalogues: Catalogues) -> CataloguePointer:
    current = catalogues.current()
    assert current
    return current.pointer


def test_published_catalogue_is_fetched_as_it_was(
    catalogues: Catalogues, versions: list[Path], tmp_path: Path
):
    pointer = catalogues.publish(versions[0], AT)
    assert pointer == pointer_of(catalogues)
    assert (pointer.films, pointer.as_of, pointer.at) == (1, RUN_DATE, AT)
    catalogues.fetch(pointer, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == versions[0].read_bytes()
    assert FilmCatalogue(tmp_path / "copy").about.films == 1


def test_second_publication_of_a_file_changes_nothing(
    catalogues: Catalogues, bucket: Bucket, versions: list[Path]
):
    catalogues.publish(versions[0], AT)
    before = bucket.get(POINTER_KEY)
    catalogues.publish(versions[0], moment(hour=14))
    assert bucket.get(POINTER_KEY) == before


def test_unchanged_pointer_is_not_read_again(catalogues: Catalogues, versions: list[Path]):
    catalogues.publish(versions[0], AT)
    current = catalogues.current()
    assert current
    with pytest.raises(PreconditionFailedError):
        catalogues.current(current.etag)


def test_only_the_current_and_the_previous_file_are_kept(
    catalogues: Catalogues, bucket: Bucket, versions: list[Path]
):
    late = moment(RUN_DATE.replace(year=2100))  # after the time at which S3 stores the files
    for path in versions:
        catalogues.publish(path, late)
    assert bucket.keys(FILES) == sorted(
        f"{FILES}{file_sha256(path)}.sqlite" for path in versions[1:]
    )


def test_publisher_killed_after_any_write_leaves_the_old_or_the_new_catalogue(
    catalogues: Catalogues, bucket: Bucket, versions: list[Path], tmp_path: Path
):
    catalogues.publish(versions[0], AT)
    for writes in range(2):
        with pytest.raises(KilledError):
            Catalogues(DyingBucket(bucket, writes)).publish(versions[1], AT)
        pointer = pointer_of(catalogues)
        assert pointer.films in {1, 2}
        catalogues.fetch(pointer, tmp_path / "copy")
    assert catalogues.publish(versions[1], AT).films == 2


def test_of_two_publishers_at_once_one_wins(
    catalogues: Catalogues, bucket: Bucket, versions: list[Path]
):
    catalogues.publish(versions[0], AT)
    stored = Bucket.create_from

    def overtaken(self: Bucket, key: str, path: Path) -> None:
        stored(self, key, path)
        if path == versions[1]:
            Catalogues(bucket).publish(versions[2], AT)

    with patch.object(Bucket, "create_from", overtaken):
        pointer = catalogues.publish(versions[1], AT)
    assert pointer == pointer_of(catalogues)
    assert pointer.films == 3


def test_invented_films_never_replace_real_ones(
    catalogues: Catalogues, versions: list[Path], tmp_path: Path
):
    invented = catalogue_file(tmp_path, source=invented_films("1a2b"))
    catalogues.publish(invented, AT)
    catalogues.publish(versions[0], AT)  # the other way round is allowed
    with pytest.raises(PublicationError, match=r"invented films .* must never replace one of TMDB"):
        catalogues.publish(invented, AT)
    assert pointer_of(catalogues).films == 1


def test_catalogue_of_an_older_format_is_replaced(
    catalogues: Catalogues, bucket: Bucket, versions: list[Path]
):
    older = catalogues.publish(versions[0], AT).model_copy(update={"format": FORMAT - 1})
    bucket.put(POINTER_KEY, older.model_dump_json().encode())
    replaced = catalogues.publish(versions[1], AT)
    assert (replaced.format, replaced.previous) == (FORMAT, older.sha256)
    assert pointer_of(catalogues) == replaced


@pytest.mark.parametrize("damage", ["missing", "shorter", "longer", "changed"])
def test_file_that_is_not_the_published_one_is_refused(
    catalogues: Catalogues, bucket: Bucket, versions: list[Path], tmp_path: Path, damage: str
):
    pointer, raw = catalogues.publish(versions[0], AT), versions[0].read_bytes()
    key = f"{FILES}{pointer.sha256}.sqlite"
    if damage == "missing":
        bucket.delete(key)
    else:
        changed = {"shorter": raw[:-1], "longer": raw + raw, "changed": b"x" + raw[1:]}
        bucket.put(key, changed[damage])
    with pytest.raises(PublicationError, match=r"is (missing|damaged); publish it again"):
        catalogues.fetch(pointer, tmp_path / "copy")
    copy = tmp_path / "copy"
    assert not copy.exists() or copy.stat().st_size <= len(raw) + 1  # never more than announced


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"format": 3}'])
def test_damaged_pointer_is_refused_in_a_sentence(
    catalogues: Catalogues, bucket: Bucket, raw: bytes
):
    bucket.put(POINTER_KEY, raw)
    with pytest.raises(PublicationError, match="is damaged, or a newer release wrote it"):
        catalogues.current()
