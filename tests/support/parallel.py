"""Distribute the tests among worker processes; create expensive test data once for all workers."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

# The test files or folders that take longest. They start first, so that at the end no worker still
# runs a long one while the others wait.
LONGEST_FIRST: Final = (
    "tests/integration/test_main_job.py",
    "tests/integration/test_approval.py",
    "tests/integration/test_live_airflow.py",
    "tests/dags/test_all_dags.py",
    "tests/scripts/store/test_film_store.py",
    "tests/scripts/test_preprocess.py",  # waits for the shared pipeline run, like the next file
    "tests/scripts/test_train.py",
    "tests/integration/",
    "tests/browser/",
    "tests/scripts/test_backfill.py",
    "tests/app/background/test_model_follower.py",
    "tests/ui/pages/",
    "tests/scripts/test_collect.py",
    "tests/movierating/registry/test_registry.py",
    "tests/ops/test_watching.py",
)
# In these files each test function is a separate unit of work. All other files are one unit each,
# because their tests share servers or depend on their order.
BY_FUNCTION: Final = (
    "tests/scripts/store/test_film_store.py",
    "tests/ui/pages/",
)


class LongestFirst(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives each free worker process the next unit of tests, in the order of test collection."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """Return the name of a test's unit of work: a file or one test function.

    One worker runs all tests in a unit, one after the other.
    """
    if nodeid.startswith(BY_FUNCTION):
        return nodeid.partition("[")[0]
    return nodeid.partition("::")[0]


def rank(item: pytest.Item) -> int:
    """Return the position in `LONGEST_FIRST` that a test's path matches, else the list's length."""
    places = enumerate(LONGEST_FIRST)
    return next((at for at, start in places if item.nodeid.startswith(start)), len(LONGEST_FIRST))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> Path:
    """Return a folder with test data that only the first worker creates; the others wait for it.

    Args:
        factory: The worker's factory of temporary folders.
        name: The name of the folder.
        make: A function that fills the empty folder. If it fails, the next worker calls it again.
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
