"""What several tests start or look for."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from movierating import settings as settings_module
from movierating.registry.registry import Registry
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings
from sandbox.s3.process import S3Server, running_s3
from sandbox.tmdb.process import RunningStandIn, running
from scripts.runtime import clock
from tests.support.bundles import Packed, pack
from tests.support.chromium import browser, page  # noqa: F401 - fixtures
from tests.support.films import moment
from tests.support.pipeline_run import Run, run_pipeline

SHARED = Path(__file__).parents[2] / "shared"

# Examples come out alike everywhere, however slow the machine.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_this_machine() -> Iterator[None]:
    """Hide the settings in the environment and in `.env` of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        patch.setattr(settings_module, "ENV_FILE", Path("there is none"))
        yield


@pytest.fixture(scope="session", autouse=True)
def clock_of_the_tests() -> Iterator[None]:
    """It is noon of `RUN_DATE`, as for the stand-in, whenever the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "_clock", moment)
        yield


@pytest.fixture(scope="session")
def tmdb_shared() -> Path:
    """The folder of real TMDB answers and catalogues, which the project does not ship."""
    folder = SHARED / "tmdb"
    if not folder.is_dir():
        pytest.skip("needs recorded TMDB answers in ../shared/tmdb, which are not shipped")
    return folder


@pytest.fixture(scope="session")
def tmdb_stand_in() -> Iterator[RunningStandIn]:
    """A TMDB stand-in with the synthetic world, in November 2026, that limits no one's rate."""
    with running("--today", "2026-11-23", "--requests-per-second", "100000") as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server, which checks keys."""
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def bucket_settings(s3_server: S3Server, tmp_path: Path) -> Iterator[Settings]:
    """Settings with an empty bucket and an empty working folder."""
    name = s3_server.new_bucket()
    yield s3_server.settings(name, data_dir=str(tmp_path / "data"))
    s3_server.drop_bucket(name)


@pytest.fixture
def bucket(bucket_settings: Settings) -> Bucket:
    """The empty bucket."""
    return open_bucket(bucket_settings)


@pytest.fixture
def registry(bucket_settings: Settings) -> Registry:
    """The registry in the empty bucket."""
    return Registry(open_bucket(bucket_settings))


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """A small bundle, not to be altered."""
    return pack(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """A bundle with higher ratings than `packed`, not to be altered."""
    return pack(tmp_path_factory.mktemp("newer"), level=7.0)


@pytest.fixture(scope="session")
def run(tmdb_stand_in: RunningStandIn, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on 1,500 films of the synthetic world, with the real parameters."""
    return run_pipeline(tmdb_stand_in.base_url, tmp_path_factory.mktemp("run"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let CI fail when something was skipped, unless it needs the films that are not shipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    reasons = {report.longrepr[2] for report in reporter.stats.get("skipped", [])}
    if unexpected := sorted(reason for reason in reasons if "../shared" not in reason):
        reporter.write_line(f"CI allows no such skip: {'; '.join(unexpected)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
