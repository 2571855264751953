"""Keeps the newest verified version of the registry in service."""

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
from movierating.registry.bundle import Bundle
from movierating.registry.registry import Pointer, Production, Registry
from movierating.s3 import PreconditionFailedError, S3UnavailableError

logger = logging.getLogger(__name__)

CACHE_FOLDER: Final = Path(__file__).parents[1] / "model"
START_SECONDS: Final = 1.0  # how long a start waits for the registry before it takes the cache
SLOW_SECONDS: Final = 30.0  # how long a poll may take before it is called slow
LONGEST_WAIT_POLLS: Final = 63  # between two downloads of a version that was refused
_POINTER_NAME: Final = "production.json"
_NOTHING_YET: Final = "the registry has no version in production yet"


@dataclass(frozen=True)
class Served:
    """A version in service."""

    bundle: Bundle
    pointer: Pointer
    loaded_from: Literal["registry", "cache"]
    loaded_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class _Refusal:
    """A version that did not prove itself; what it is tried again after grows with each time."""

    etag: str
    problem: str
    times: int = 0
    polls_left: int = 0

    def again(self, problem: str) -> None:
        self.problem = problem
        self.times += 1
        self.polls_left = min(2 ** (self.times - 1) - 1, LONGEST_WAIT_POLLS)


class Follower:
    """Follows the production pointer; a new version is swapped in whole, or not at all.

    The registry is asked in a thread of its own, so that a slow one holds up neither answers nor
    the end of the process. No clock that can be set has a part in it.

    Attributes:
        served: The version that answers; None before the first one is verified.
        cache_problem: Why the version in service could not be kept for a start without S3.
        failed_polls: After how many polls the service did not run what is in production.
        last_success: Seconds since the epoch at the end of the last poll that was none of these.
    """

    def __init__(self, registry: Registry, poll_seconds: float, cache: Path = CACHE_FOLDER) -> None:
        """Prepare to follow; nothing is read before `start` or `refresh`."""
        self._registry = registry
        self._cache = cache
        self._etag: str | None = None
        self._refusal: _Refusal | None = None
        self._problem: str | None = None
        self._polling_since: float | None = None
        self._serving = threading.Lock()
        self._polling = Polling("follower", self.refresh, poll_seconds)
        self.served: Served | None = None
        self.cache_problem: str | None = None
        self.failed_polls = 0
        self.last_success: float | None = None

    @property
    def problem(self) -> str | None:
        """Why the service may not run what is in production; None when it does."""
        since = self._polling_since
        if since is not None and (seconds := time.monotonic() - since) > SLOW_SECONDS:
            return f"the registry is slow: a poll has been under way for {seconds:.0f} s"
        return self._problem

    def start(self) -> None:
        """Follow from now on; returns with a version in service if one can be had soon."""
        if not self._polling.start(START_SECONDS):
            self._report(f"the registry has not answered within {START_SECONDS:.0f} s")
            self._serve_last_good()

    def stop(self) -> None:
        """Follow no longer; a poll under way is not waited for."""
        self._polling.stop()

    def refresh(self) -> None:
        """Bring the version in production into service, or say why not and keep the old one."""
        self._polling_since = time.monotonic()
        try:
            self._conclude(self._poll())
        except (ExplainedError, OSError) as error:
            self._conclude(str(error))
        except Exception as error:  # noqa: BLE001 - whatever breaks, the version in service stays
            self._conclude(_unexpected(error))
        finally:
            self._polling_since = None

    def _poll(self) -> str | None:
        refusal = self._refusal
        waits = refusal is not None and refusal.polls_left > 0
        try:
            production = self._registry.production(
                unless_etag=refusal.etag if refusal and waits else self._etag
            )
        except PreconditionFailedError:
            if refusal and waits:
                refusal.polls_left -= 1
                return refusal.problem
            self._refusal = None  # the pointer is back where it was
            return None
        if production is None:
            return _NOTHING_YET
        return self._take(production)

    def _take(self, production: Production) -> str | None:
        try:
            self._swap(production)
        except S3UnavailableError:
            raise
        except (ExplainedError, OSError) as error:
            return self._refuse(production, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a bundle does, the old one stays
            return self._refuse(production, _unexpected(error))
        self._refusal = None
        return None

    def _refuse(self, production: Production, problem: str) -> str:
        if self._refusal is None or self._refusal.etag != production.etag:
            self._refusal = _Refusal(production.etag, problem)
        self._refusal.again(problem)
        return problem

    def _swap(self, production: Production) -> None:
        pointer, served = production.pointer, self.served
        if served and _is_same(served.pointer, pointer):
            now = Served(served.bundle, pointer, "registry", served.loaded_at)
        else:
            now = Served(self._pull(pointer), pointer, "registry")
            logger.info("version %s is in service", pointer.version)
        with self._serving:
            self.served = now
        self._etag = production.etag

    def _pull(self, pointer: Pointer) -> Bundle:
        try:
            bundle = self._pull_into_cache(pointer)
        except OSError as error:
            self.cache_problem = f"{pointer.version} is not in the cache: {_reason(error)}"
            logger.warning("%s", self.cache_problem)
        else:
            self.cache_problem = None
            return bundle
        try:
            with TemporaryDirectory() as folder:
                return self._fetched(pointer, Path(folder))
        except OSError as error:
            raise OSError(f"a new version finds no place on the disk: {_reason(error)}") from error

    def _pull_into_cache(self, pointer: Pointer) -> Bundle:
        folder, fresh = self._cache / pointer.version, self._cache / ".fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        bundle = _loaded(folder, pointer)
        try:
            if bundle is None:
                bundle = self._fetched(pointer, fresh)
                shutil.rmtree(folder, ignore_errors=True)
                fresh.rename(folder)
            self._remember(pointer)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return bundle

    def _fetched(self, pointer: Pointer, folder: Path) -> Bundle:
        self._registry.fetch(pointer, folder)
        return Bundle.load(folder, pointer.manifest_sha256)

    def _remember(self, pointer: Pointer) -> None:
        partial = self._cache / f".{_POINTER_NAME}"
        try:
            partial.write_text(pointer.model_dump_json())
            partial.replace(self._cache / _POINTER_NAME)
        finally:
            partial.unlink(missing_ok=True)
        for other in self._cache.iterdir():
            if other.is_dir() and other.name != pointer.version:
                shutil.rmtree(other, ignore_errors=True)

    def _conclude(self, problem: str | None) -> None:
        if problem is None:
            self._problem, self.last_success = None, time.time()
            return
        self.failed_polls += 1
        self._report(problem)
        if self.served is None and problem != _NOTHING_YET:
            self._serve_last_good()

    def _serve_last_good(self) -> None:
        cached = self._last_good()
        with self._serving:
            if cached is None or self.served is not None:
                return
            self.served = cached
        logger.warning("version %s is in service from the cache", cached.pointer.version)

    def _last_good(self) -> Served | None:
        try:
            pointer = Pointer.model_validate(json.loads((self._cache / _POINTER_NAME).read_bytes()))
        except (OSError, ValueError):
            return None
        bundle = _loaded(self._cache / pointer.version, pointer)
        return Served(bundle, pointer, "cache") if bundle else None

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("the registry cannot be followed: %s", problem)
        self._problem = problem


def _loaded(folder: Path, pointer: Pointer) -> Bundle | None:
    try:
        return Bundle.load(folder, pointer.manifest_sha256)
    except Exception:  # noqa: BLE001 - whatever lies there, the registry has it anew
        return None


def _is_same(served: Pointer, pointer: Pointer) -> bool:
    return (served.version, served.manifest_sha256) == (pointer.version, pointer.manifest_sha256)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)  # without the path


def _unexpected(error: Exception) -> str:
    logger.error("following the registry broke", exc_info=error)
    return f"{type(error).__name__}; the log of the service has it"
