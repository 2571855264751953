"""Keeps a local copy of the current film catalogue."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import HTTPException

from app.background.bucket_reader import POLL_SECONDS, BucketReader
from movierating.catalogue.films import FORMAT, CatalogueError, FilmCatalogue
from movierating.catalogue.publication import CataloguePointer, Catalogues, PublicationError
from movierating.films.source import describe, may_be_joined
from movierating.s3 import Bucket
from movierating.s3_errors import PreconditionFailedError

logger = logging.getLogger(__name__)

_POINTER_NAME: Final = "films.json"
_PARTIAL_NAME: Final = "films.partial"
_OLDER: Final = (
    "an older release wrote it; the next run of the pipeline's DAG tmdb_movie_forecast replaces it"
)


class CatalogueReader(BucketReader):
    """Copies the current film catalogue to the disk; the copy stays while S3 is not reachable.

    Attributes:
        catalogue: The catalogue; None until one has been copied.
    """

    subject = "film catalogue"

    def __init__(
        self,
        bucket_of: Callable[[], Bucket],
        folder: Path,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Create a reader; the first `refresh` opens the bucket.

        Args:
            bucket_of: Opens the bucket.
            folder: The folder for the copy. The reader deletes only its own files there.
            poll_seconds: The time between two reads.
        """
        super().__init__(bucket_of, poll_seconds)
        self._folder = folder
        self._etag: str | None = None
        self._path_in_use: Path | None = None
        self.catalogue: FilmCatalogue | None = None

    def start(self) -> None:
        """Use the copy of an earlier process, then start the regular reads."""
        self.catalogue = self._copy_of_earlier_process()
        super().start()

    def of_source(self, source: str | None) -> FilmCatalogue | None:
        """Return the catalogue, for an answer with films of this source; None if it has others.

        The pipeline publishes the catalogue, the views of the ledger and the model one after the
        other. After a change of the source, they have different films with the same ids meanwhile.

        Args:
            source: The source of the other films in the answer; None if there are none, or if
                their source is unknown.
        """
        catalogue = self.catalogue
        if catalogue and may_be_joined(source, catalogue.about.source):
            return catalogue
        return None

    def current(self, source: str | None = None) -> FilmCatalogue:
        """Return the catalogue.

        Args:
            source: As in `of_source`.

        Raises:
            HTTPException: Status 503: there is no catalogue, or it cannot be read, or it has films
                of another source.
        """
        catalogue = self.catalogue
        if catalogue is None:
            self.refuse_unread()
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "there is no film catalogue yet; the pipeline's DAG tmdb_movie_forecast publishes "
                "it",
            )
        own = catalogue.about.source
        if source is not None and not may_be_joined(source, own):
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"the film catalogue has {describe(own)}, but the forecasts are of "
                f"{describe(source)}; the next run of the pipeline's DAG tmdb_movie_forecast "
                "publishes a catalogue of the same films",
            )
        return catalogue

    def read(self, bucket: Bucket) -> None:
        """Copy the current catalogue, if it has changed."""
        catalogues = Catalogues(bucket)
        try:
            current = catalogues.current(self._etag)
        except PreconditionFailedError:  # unchanged since the last read
            return
        if current is None:
            return
        if current.pointer.format != FORMAT:
            raise PublicationError(_OLDER)
        path = self._path(current.pointer)
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = self._folder / _PARTIAL_NAME
            catalogues.fetch(current.pointer, partial)
            partial.replace(path)
        self.catalogue = FilmCatalogue(path)
        (self._folder / _POINTER_NAME).write_text(current.pointer.model_dump_json())
        self._etag = current.etag
        self._delete_others(path)
        self._path_in_use = path

    def _path(self, pointer: CataloguePointer) -> Path:
        return self._folder / f"films-{pointer.sha256}.sqlite"

    def _copy_of_earlier_process(self) -> FilmCatalogue | None:
        try:
            raw = (self._folder / _POINTER_NAME).read_bytes()
            path = self._path(CataloguePointer.model_validate_json(raw))
            catalogue = FilmCatalogue(path)
        except CatalogueError as error:
            logger.warning("the copy of an earlier process is not used: %s", error)
            return None
        except (OSError, ValueError):
            return None  # the first process, or a copy that was not completed
        self._path_in_use = path
        return catalogue

    def _delete_others(self, path: Path) -> None:
        # A request in progress opens the file of its catalogue again for each query.
        kept = {path, self._path_in_use}
        for other in self._folder.glob("films-*.sqlite"):
            if other not in kept:
                other.unlink(missing_ok=True)
