from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def vectors_kept_by_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep vectors of the small plot encoder apart from the vectors of real benchmarks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmarks.plots.KEPT", tmp_path_factory.mktemp("plots"))
        yield
