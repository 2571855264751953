"""Publish the film catalogue in the bucket, by the rules of the model registry.

Keys::

    catalogue/files/{sha256}.sqlite   catalogues; they never change
    catalogue/films.json              which of them is current; the only object that changes
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from movierating.catalogue.films import FORMAT, FilmCatalogue
from movierating.errors import ExplainedError
from movierating.films.source import describe, is_invented
from movierating.s3 import Bucket
from movierating.s3_errors import PreconditionFailedError

POINTER_KEY: Final = "catalogue/films.json"
FILES: Final = "catalogue/files/"
LARGEST_BYTES: Final = 4_000_000_000  # a reader accepts no larger file
_MAX_POINTER_BYTES: Final = 100_000
_PIECE_BYTES: Final = 1_000_000


class PublicationError(ExplainedError, RuntimeError):
    """The catalogue cannot be published, or a published one cannot be used."""


class CataloguePointer(BaseModel):
    """The content of `films.json`: which catalogue is current.

    Attributes:
        format: The format of the file (see `movierating.catalogue.films`).
        sha256: The file's hash, which is also its name.
        bytes: The file's size.
        source: The source of the films.
        as_of: The day of the run that made the file.
        films: The number of films.
        at: When it became current.
        previous: The hash of the catalogue before; its file is kept for readers that still use it.
    """

    # A newer release may add fields; older code must still find the file.
    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = Field(ge=1, le=FORMAT)  # an older one is there until the next publication
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(gt=0, le=LARGEST_BYTES)
    source: str
    as_of: date
    films: int
    at: datetime
    previous: str | None = None


@dataclass(frozen=True)
class CurrentCatalogue:
    """The pointer to the current catalogue, and the ETag of its S3 object."""

    pointer: CataloguePointer
    etag: str


class Catalogues:
    """The film catalogues in one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        """Use the catalogues in this bucket; nothing is read yet."""
        self._bucket = bucket

    def current(self, unless_etag: str | None = None) -> CurrentCatalogue | None:
        """Read which catalogue is current; None before the first.

        Args:
            unless_etag: The ETag of an earlier read.

        Raises:
            PreconditionFailedError: The pointer still has this ETag.
            PublicationError: The pointer is damaged, or of a newer release.
        """
        blob = self._bucket.get(POINTER_KEY, unless_etag, _MAX_POINTER_BYTES)
        if blob is None:
            return None
        try:
            return CurrentCatalogue(CataloguePointer.model_validate_json(blob.raw), blob.etag)
        except ValueError:
            raise PublicationError(
                f"{POINTER_KEY} is damaged, or a newer release wrote it; publish it again"
            ) from None

    def publish(self, path: Path, at: datetime) -> CataloguePointer:
        """Store a catalogue and make it the current one. A second call changes nothing.

        Args:
            path: The catalogue's file.
            at: The present time.

        Returns:
            The pointer to the current catalogue. It points to a later one, if another run has
            published one meanwhile.

        Raises:
            PublicationError: The films are invented, and those of the current catalogue are real.
        """
        about, digest = FilmCatalogue(path).about, file_sha256(path)
        current = self.current()
        if current and current.pointer.sha256 == digest:
            return current.pointer
        _refuse_invented(about.source, current)
        with suppress(PreconditionFailedError):  # the same file was stored before
            self._bucket.create_from(f"{FILES}{digest}.sqlite", path)
        pointer = CataloguePointer(
            format=FORMAT,
            sha256=digest,
            bytes=path.stat().st_size,
            source=about.source,
            as_of=about.as_of,
            films=about.films,
            at=at,
            previous=current.pointer.sha256 if current else None,
        )
        moved = self._move(pointer, current)
        self._delete_others(moved)
        return moved

    def fetch(self, pointer: CataloguePointer, path: Path) -> None:
        """Copy a catalogue from the bucket to a local file, piece by piece, and check its hash.

        Raises:
            PublicationError: The file is missing, or is not the one that the pointer names.
        """
        size = self._bucket.download(f"{FILES}{pointer.sha256}.sqlite", path, pointer.bytes)
        if size is None:
            raise PublicationError("the file of the film catalogue is missing; publish it again")
        if size != pointer.bytes or file_sha256(path) != pointer.sha256:
            raise PublicationError("the file of the film catalogue is damaged; publish it again")

    def _move(
        self, pointer: CataloguePointer, current: CurrentCatalogue | None
    ) -> CataloguePointer:
        raw = pointer.model_dump_json(indent=2).encode()
        try:
            if current is None:
                self._bucket.create(POINTER_KEY, raw)
            else:
                self._bucket.replace(POINTER_KEY, raw, current.etag)
        except PreconditionFailedError:
            # Another run has moved the pointer. Its catalogue is as new as this one.
            other = self.current()
            if other is None:
                raise PublicationError("another program deletes the catalogue; try again") from None
            return other.pointer
        return pointer

    def _delete_others(self, pointer: CataloguePointer) -> None:
        """Delete the files that no reader needs: TMDB's terms limit how long they may be kept."""
        kept = {f"{FILES}{each}.sqlite" for each in (pointer.sha256, pointer.previous)}
        for stored in self._bucket.objects(FILES):
            # A file that is newer than the pointer may belong to a run that is about to move it.
            if stored.key not in kept and stored.modified < pointer.at:
                self._bucket.delete(stored.key)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _refuse_invented(source: str, current: CurrentCatalogue | None) -> None:
    if current and is_invented(source) and not is_invented(current.pointer.source):
        raise PublicationError(
            f"the catalogue has {describe(source)} and must never replace one of "
            f"{describe(current.pointer.source)}; use another bucket"
        )
