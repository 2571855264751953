"""Keeps the API's model up to date.

It polls the registry. When another version is in production, it downloads and checks that version,
and then replaces the model in service.
"""

import json
import logging
import shutil
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from app.background.polling import Polling
from movierating.errors import ExplainedError
from movierating.registry.bundle import Bundle, encoders_beside
from movierating.registry.pointer import Pointer, Production
from movierating.registry.reading import RegistryReader
from movierating.s3_errors import PreconditionFailedError, S3UnavailableError

logger = logging.getLogger(__name__)

CACHE_FOLDER: Final = Path(__file__).parents[1] / "model"
START_SECONDS: Final = 1.0  # wait for the registry at the start; then use the cached version
# Without a model in the cache, the service does not listen before it has loaded the first one: a
# proxy sends requests to each replica that listens. The limit is for downloads that hang.
FIRST_LOAD_SECONDS: Final = 20.0
SLOW_SECONDS: Final = 30.0  # a longer poll is reported as slow
MAX_SKIPPED_POLLS: Final = 63  # upper limit for the polls between downloads of a refused version
_POINTER_NAME: Final = "production.json"
_NO_PRODUCTION: Final = "the registry has no version in production yet"


@dataclass(frozen=True)
class Served:
    """The model in service, and the pointer (`production.json`) that named its version."""

    bundle: Bundle
    pointer: Pointer
    loaded_from: Literal["registry", "cache"]
    loaded_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class _Refusal:
    """A version that failed a check, and when to try it again.

    After each failed attempt, the service waits about twice as many polls before it downloads the
    version again.
    """

    etag: str
    problem: str
    attempts: int = 0
    polls_to_skip: int = 0

    def record_attempt(self, problem: str) -> None:
        self.problem = problem
        self.attempts += 1
        self.polls_to_skip = min(2 ** (self.attempts - 1) - 1, MAX_SKIPPED_POLLS)


class Follower:
    """Keeps the API's model equal to the version in production.

    The pointer `production.json` in the registry names that version. A new version goes into
    service only after it has passed every check. A thread polls the registry, so a slow registry
    delays neither requests nor the end of the process. The logic uses only the monotonic clock, so
    a wrong or changed system clock does not affect it.

    Attributes:
        cache: The folder for local copies.
        served: The model in service; None before the first version is verified.
        cache_problem: Why the version in service is not in the local cache; None if it is. The
            service needs the cache to start while S3 is not reachable.
        failed_polls: Number of failed polls since the process started. After a failed poll, the
            service does not run the version in production, for example because S3 did not answer.
        last_success: Unix time of the last poll after which the service ran the version in
            production; None before the first such poll.
    """

    def __init__(
        self, registry: RegistryReader, poll_seconds: float, cache: Path = CACHE_FOLDER
    ) -> None:
        """Create a follower; it does not read the registry before `start` or `refresh`.

        Args:
            registry: The model registry.
            poll_seconds: The time between two polls of the registry.
            cache: The folder for a local copy of the version in service.
        """
        self._registry = registry
        self.cache = cache
        self._etag: str | None = None
        self._refusal: _Refusal | None = None
        self._problem: str | None = None
        self._polling_since: float | None = None
        self._is_loading = False  # the registry has named a version, which is not in service yet
        self._serving = threading.Lock()
        self._polling = Polling("follower", self.refresh, poll_seconds)
        self.served: Served | None = None
        self.cache_problem: str | None = None
        self.failed_polls = 0
        self.last_success: float | None = None

    @property
    def problem(self) -> str | None:
        """Why the service may not run the version in production; None if it runs this version."""
        since = self._polling_since
        if since is not None and (seconds := time.monotonic() - since) > SLOW_SECONDS:
            return f"the registry is slow: a poll has been under way for {seconds:.0f} s"
        return self._problem

    def start(self) -> None:
        """Start polling; if the first poll takes too long, use the version in the local cache.

        If the cache has none, wait until a version that the registry has named is loaded.
        """
        if self._polling.start(START_SECONDS):
            return
        if not self._is_loading:
            self._report(f"the registry has not answered within {START_SECONDS:.0f} s")
        self._serve_cached()
        if self.served is None and self._is_loading:
            self._polling.wait(FIRST_LOAD_SECONDS)

    def stop(self) -> None:
        """Stop polling; do not wait for a poll in progress."""
        self._polling.stop()

    def refresh(self) -> None:
        """Put the version in production into service; on failure, log why and keep the old one."""
        self._polling_since = time.monotonic()
        try:
            self._finish_poll(self._poll())
        except (ExplainedError, OSError) as error:
            self._finish_poll(str(error))
        except Exception as error:  # noqa: BLE001 - no error may take the model out of service
            self._finish_poll(_unexpected(error))
        finally:
            self._polling_since = None

    def _poll(self) -> str | None:
        refusal = self._refusal
        is_skipping = refusal is not None and refusal.polls_to_skip > 0
        try:
            production = self._registry.production(
                unless_etag=refusal.etag if refusal and is_skipping else self._etag
            )
        except PreconditionFailedError:
            if refusal and is_skipping:
                refusal.polls_to_skip -= 1
                return refusal.problem
            # The pointer is unchanged, or it names the version in service again.
            self._refusal = None
            return None
        if production is None:
            return _NO_PRODUCTION
        return self._take(production)

    def _take(self, production: Production) -> str | None:
        try:
            self._swap(production)
        except S3UnavailableError:
            raise
        except (ExplainedError, OSError) as error:
            return self._refuse(production, str(error))
        except Exception as error:  # noqa: BLE001 - no bundle may take the model out of service
            return self._refuse(production, _unexpected(error))
        self._refusal = None
        return None

    def _refuse(self, production: Production, problem: str) -> str:
        if self._refusal is None or self._refusal.etag != production.etag:
            self._refusal = _Refusal(production.etag, problem)
        self._refusal.record_attempt(problem)
        return problem

    def _swap(self, production: Production) -> None:
        pointer, served = production.pointer, self.served
        if served and _is_same(served.pointer, pointer):
            now = Served(served.bundle, pointer, "registry", served.loaded_at)
        else:
            now = Served(self._load(pointer), pointer, "registry")
            logger.info("version %s is in service", pointer.version)
        with self._serving:
            self.served = now
        self._etag = production.etag

    def _load(self, pointer: Pointer) -> Bundle:
        self._is_loading = True
        try:
            return self._load_anywhere(pointer)
        finally:
            self._is_loading = False

    def _load_anywhere(self, pointer: Pointer) -> Bundle:
        try:
            bundle = self._load_into_cache(pointer)
        except OSError as error:
            self.cache_problem = f"{pointer.version} is not in the cache: {_reason(error)}"
            logger.warning("%s", self.cache_problem)
        else:
            self.cache_problem = None
            return bundle
        try:
            with TemporaryDirectory() as folder:
                return self._download(pointer, Path(folder) / "bundle")
        except OSError as error:
            raise OSError(f"a new version cannot be written to disk: {_reason(error)}") from error

    def _load_into_cache(self, pointer: Pointer) -> Bundle:
        folder, download = self.cache / pointer.version, self.cache / ".fresh"
        shutil.rmtree(download, ignore_errors=True)
        bundle = _load_cached(folder, pointer)
        try:
            if bundle is None:
                bundle = self._download(pointer, download)
                shutil.rmtree(folder, ignore_errors=True)
                download.rename(folder)
            self._write_cached_pointer(pointer)
            self._drop_other_encoders(bundle)
        finally:
            shutil.rmtree(download, ignore_errors=True)
        return bundle

    def _download(self, pointer: Pointer, folder: Path) -> Bundle:
        self._registry.fetch(pointer, folder)
        return Bundle.load(folder, pointer.manifest_sha256)

    def _write_cached_pointer(self, pointer: Pointer) -> None:
        partial = self.cache / f".{_POINTER_NAME}"
        try:
            partial.write_text(pointer.model_dump_json())
            partial.replace(self.cache / _POINTER_NAME)
        finally:
            partial.unlink(missing_ok=True)
        kept = encoders_beside(self.cache / pointer.version)
        for other in self.cache.iterdir():
            if other.is_dir() and other != kept and other.name != pointer.version:
                shutil.rmtree(other, ignore_errors=True)

    def _drop_other_encoders(self, bundle: Bundle) -> None:
        """Delete the files of plot encoders that the version in the cache does not use."""
        used = {entry.sha256 for entry in bundle.manifest.encoder.values()}
        for path in encoders_beside(self.cache / "bundle").glob("*"):
            if path.name not in used:  # an open file stays readable until it is closed
                path.unlink(missing_ok=True)

    def _finish_poll(self, problem: str | None) -> None:
        if problem is None:
            self._problem, self.last_success = None, time.time()
            return
        self.failed_polls += 1
        self._report(problem)
        if self.served is None and problem != _NO_PRODUCTION:
            self._serve_cached()

    def _serve_cached(self) -> None:
        cached = self._cached()
        with self._serving:
            if cached is None or self.served is not None:
                return
            self.served = cached
        logger.warning("version %s is in service from the cache", cached.pointer.version)

    def _cached(self) -> Served | None:
        try:
            pointer = Pointer.model_validate(json.loads((self.cache / _POINTER_NAME).read_bytes()))
        except (OSError, ValueError):
            return None
        bundle = _load_cached(self.cache / pointer.version, pointer)
        return Served(bundle, pointer, "cache") if bundle else None

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("the registry cannot be followed: %s", problem)
        self._problem = problem


def _load_cached(folder: Path, pointer: Pointer) -> Bundle | None:
    try:
        return Bundle.load(folder, pointer.manifest_sha256)
    except Exception:  # noqa: BLE001 - a damaged cache counts as an empty one
        return None


def _is_same(served: Pointer, pointer: Pointer) -> bool:
    return (served.version, served.manifest_sha256) == (pointer.version, pointer.manifest_sha256)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)  # not the path: API clients can read this text


def _unexpected(error: Exception) -> str:
    logger.error("a poll of the registry failed unexpectedly", exc_info=error)
    return f"{type(error).__name__}; see the log of the service"
