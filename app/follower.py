"""Keeps the newest verified version of the registry in service."""

import asyncio
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from movierating.bundle import Bundle
from movierating.errors import ExplainedError
from movierating.registry import Pointer, Production, Registry
from movierating.s3 import PreconditionFailedError

logger = logging.getLogger(__name__)

CACHE_FOLDER: Final = Path(__file__).parent / "model"
_POINTER_NAME: Final = "production.json"


@dataclass(frozen=True)
class Served:
    """A version in service."""

    bundle: Bundle
    pointer: Pointer
    loaded_from: Literal["registry", "cache"]


class Follower:
    """Follows the production pointer; a new version is swapped in whole, or not at all.

    Attributes:
        served: The version that answers; None before the first one is verified.
        problem: Why the registry could not be followed at the last attempt; None when it could.
    """

    def __init__(self, registry: Registry, poll_seconds: float, cache: Path = CACHE_FOLDER) -> None:
        """Prepare to follow; nothing is read before `refresh`."""
        self._registry = registry
        self._poll_seconds = poll_seconds
        self._cache = cache
        self._etag: str | None = None
        self.served: Served | None = None
        self.problem: str | None = None

    async def follow(self) -> None:
        """Refresh for ever, at the poll's pace."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            await asyncio.to_thread(self.refresh)

    def refresh(self) -> None:
        """Bring the version in production into service, or say why not and keep the old one."""
        try:
            production = self._registry.production(unless_etag=self._etag)
            if production is None:
                self._report("the registry has no version in production yet")
            else:
                self._swap(production)
        except PreconditionFailedError:
            self.problem = None
        except (ExplainedError, OSError) as error:
            self._keep_last_good(str(error))
        except Exception as error:
            logger.exception("following the registry broke")
            self._keep_last_good(f"{type(error).__name__}; the log of the service has it")

    def _keep_last_good(self, problem: str) -> None:
        self._report(problem)
        if self.served is None:
            self.served = self._last_good()

    def _swap(self, production: Production) -> None:
        pointer = production.pointer
        if self.served and self.served.pointer.version == pointer.version:
            bundle = self.served.bundle
        else:
            bundle = self._pull(pointer)
            logger.info("version %s is in service", pointer.version)
        self.served = Served(bundle, pointer, "registry")
        self._etag, self.problem = production.etag, None

    def _pull(self, pointer: Pointer) -> Bundle:
        folder, fresh = self._cache / pointer.version, self._cache / ".fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        self._registry.fetch(pointer, fresh)
        bundle = Bundle.load(fresh, pointer.manifest_sha256)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
        self._remember(pointer)
        return bundle

    def _remember(self, pointer: Pointer) -> None:
        partial = self._cache / f".{_POINTER_NAME}"
        partial.write_text(pointer.model_dump_json())
        partial.replace(self._cache / _POINTER_NAME)
        for other in self._cache.iterdir():
            if other.is_dir() and other.name != pointer.version:
                shutil.rmtree(other, ignore_errors=True)

    def _last_good(self) -> Served | None:
        try:
            pointer = Pointer.model_validate(json.loads((self._cache / _POINTER_NAME).read_bytes()))
            bundle = Bundle.load(self._cache / pointer.version, pointer.manifest_sha256)
        except (OSError, ValueError):
            return None
        logger.warning("version %s is in service from the cache", pointer.version)
        return Served(bundle, pointer, "cache")

    def _report(self, problem: str) -> None:
        if problem != self.problem:
            logger.warning("the registry cannot be followed: %s", problem)
        self.problem = problem
