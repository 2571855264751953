"""Fixtures for many tests: settings, clock, S3 server, TMDB stand-in, bundles, a pipeline run."""

import gc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest
from botocore.retries.standard import ExponentialBackoff

from movierating import settings as settings_module
from movierating.proxies import PROXY_VARIABLES
from movierating.registry.registry import Registry
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings
from sandbox.s3.process import S3Server, running_s3
from sandbox.tmdb.process import RunningStandIn, running
from scripts.runtime import clock
from tests.support.bundles import Packed, pack, packed_in
from tests.support.chromium import browser, page  # noqa: F401 - fixtures
from tests.support.encoders import write_small_encoder
from tests.support.films import moment
from tests.support.parallel import LongestFirst, made_once, rank
from tests.support.pipeline_run import Run, run_of, run_pipeline
from tests.support.shared_clients import shared_clients
from tests.support.skips import pytest_sessionfinish  # noqa: F401 - a hook

# Collect garbage seldom. The imported modules and the tests stay in memory, and searching them for
# garbage at the usual pace takes a sixth of the time in which pytest collects the tests.
gc.set_threshold(50_000, 20, 100)

SHARED = Path(__file__).parents[2] / "shared"
# A test that uses one of these fixtures needs a real Airflow, or a real browser.
MARK_OF_FIXTURE: Final = {
    "asking": "airflow",
    "checkout": "airflow",
    "scene": "airflow",
    "browser": "browser",
}
DAG_TESTS: Final = Path(__file__).parent / "dags"  # these tests all need a real Airflow

# Hypothesis must use the same examples on every machine, and set no time limit on slow ones.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_this_machine() -> Iterator[None]:
    """Hide this machine's settings, in the environment and in `.env`, from all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        patch.setattr(settings_module, "ENV_FILE", Path("there is none"))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_proxy_of_this_machine() -> Iterator[None]:
    """Hide the variables that name this machine's proxy: all servers of the tests are local."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PROXY_VARIABLES:
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def clock_of_the_tests() -> Iterator[None]:
    """Set the clock of all tests to noon of `RUN_DATE`.

    The TMDB stand-in (a local imitation of TMDB) has the same date."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "_clock", moment)
        yield


@pytest.fixture(scope="session", autouse=True)
def retries_without_waits() -> Iterator[None]:
    """Let boto3 repeat a failed request immediately instead of after some seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
        yield


@pytest.fixture(scope="session", autouse=True)
def small_plot_encoder() -> Iterator[None]:
    """Let the pipeline write a small plot encoder, because the real one takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scripts.dataset.plot_encoder.write_encoder", write_small_encoder)
        yield


@pytest.fixture(scope="session")
def tmdb_shared() -> Path:
    """Return the folder of real TMDB responses, which is not in git; skip the test without it."""
    folder = SHARED / "tmdb"
    if not folder.is_dir():
        pytest.skip("needs recorded TMDB answers in ../shared/tmdb, which are not shipped")
    return folder


@pytest.fixture(scope="session")
def tmdb_stand_in() -> Iterator[RunningStandIn]:
    """Run the local imitation of TMDB with invented films, on 2026-11-23, without a rate limit."""
    with running("--today", "2026-11-23", "--requests-per-second", "100000") as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Run a local S3 server, which checks the access keys."""
    with running_s3(tmp_path_factory.mktemp("s3")) as server, shared_clients(server.url):
        yield server


@pytest.fixture(scope="session")
def spare_buckets() -> list[str]:
    """Return a list of empty buckets from earlier tests, for reuse.

    Reuse saves time, because the first write to a new bucket takes 0.2 s."""
    return []


@pytest.fixture
def bucket_settings(
    s3_server: S3Server, spare_buckets: list[str], tmp_path: Path
) -> Iterator[Settings]:
    """Yield settings with the names of an empty bucket and of an empty working folder."""
    name = spare_buckets.pop() if spare_buckets else s3_server.new_bucket()
    yield s3_server.settings(name, data_dir=str(tmp_path / "data"))
    s3_server.empty_bucket(name)
    spare_buckets.append(name)


@pytest.fixture
def bucket(bucket_settings: Settings) -> Bucket:
    """Open the empty bucket."""
    return open_bucket(bucket_settings)


@pytest.fixture
def registry(bucket: Bucket) -> Registry:
    """Open the model registry in the empty bucket."""
    return Registry(bucket)


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Create a small model bundle; tests must not change it."""
    return packed_in(made_once(tmp_path_factory, "bundle", pack))


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Create a bundle that forecasts higher ratings than `packed`; tests must not change it."""
    return packed_in(made_once(tmp_path_factory, "newer", partial(pack, level=7.0)))


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the pipeline on 1,000 invented films with real parameters, and its working folder in S3.

    Tests must not change the files of this run."""

    def make(folder: Path) -> None:
        stand_in: RunningStandIn = request.getfixturevalue("tmdb_stand_in")
        run_pipeline(stand_in.base_url, request.getfixturevalue("s3_server"), folder)

    return run_of(made_once(tmp_path_factory, "run", make))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LongestFirst:
    """Distribute units of tests (files or functions) to worker processes, the longest first."""
    return LongestFirst(config, log)


@pytest.hookimpl(tryfirst=True)  # before pytest selects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need Airflow or a browser, and put the longest tests first."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for mark in {MARK_OF_FIXTURE[name] for name in fixtures if name in MARK_OF_FIXTURE}:
            item.add_marker(mark)
        if item.path.is_relative_to(DAG_TESTS):
            item.add_marker("airflow")
    items.sort(key=rank)
