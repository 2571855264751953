import time

from ops.load import load
from tests.support.stub_api import running_stub_api


def test_every_request_is_counted_by_its_status():
    with running_stub_api() as stub:
        address = f"{stub.url}/options"
        with load(lambda session: session.get(address, timeout=5), callers=2) as seen:
            while seen.answered < 5:
                time.sleep(0.01)
    assert seen.failed == 0
    assert len(seen.seconds) == seen.answered


def test_unreachable_service_counts_as_failed():
    with running_stub_api() as stub:
        address = stub.url
    with load(lambda session: session.get(address, timeout=5), callers=1) as seen:
        while seen.failed < 2:
            time.sleep(0.01)
    assert seen.answered == 0
    assert set(seen.statuses) == {"ConnectionError"}
