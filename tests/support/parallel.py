"""Spread the tests over worker processes, and share between workers what is expensive to make."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

# Units of work that take longest. They start first, so that no worker runs one alone at the end.
LONGEST_FIRST: Final = (
    "tests/integration/test_main_job.py",
    "tests/integration/test_approval.py",
    "tests/scripts/store/test_film_store.py",
    "tests/scripts/test_preprocess.py",  # needs the shared run of the pipeline, as the next does
    "tests/scripts/test_train.py",
    "tests/integration/",
    "tests/browser/",
    "tests/scripts/test_backfill.py",
    "tests/scripts/test_tune.py",
    "tests/app/background/test_model_follower.py",
    "tests/ui/pages/",
    "tests/scripts/test_collect.py",
    "tests/movierating/registry/test_registry.py",
    "tests/ops/test_watching.py",
)
# Here each test function is a unit of its own; elsewhere a file is, because its tests share
# servers, or an order.
BY_FUNCTION: Final = (
    "tests/browser/",
    "tests/scripts/store/test_film_store.py",
    "tests/scripts/test_train.py",
    "tests/scripts/test_tune.py",
    "tests/ui/pages/",
)


class LongestFirst(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives each worker that is free the next unit, in the order of the collected tests."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """Return the name shared by the tests that run one after the other in one worker."""
    if nodeid.startswith(BY_FUNCTION):
        return nodeid.partition("[")[0]
    return nodeid.partition("::")[0]


def rank(item: pytest.Item) -> int:
    """Return the place of a test's unit in `LONGEST_FIRST`."""
    places = enumerate(LONGEST_FIRST)
    return next((at for at, start in places if item.nodeid.startswith(start)), len(LONGEST_FIRST))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> Path:
    """Return a folder that the first worker fills and the others wait for.

    Args:
        factory: The worker's own; its parent folder is common to all workers.
        name: The name of the folder.
        make: Fills the folder, which is empty. If it fails, the next worker tries again.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
        done = base / f"{name}.done"
        if not done.exists():
            attempt = factory.mktemp(name)
            make(attempt)
            done.write_text(str(attempt))
    return Path(done.read_text())
