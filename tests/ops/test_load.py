import time

import requests

from ops.load import load
from tests.stub_api import running


def test_every_request_is_counted_by_what_became_of_it():
    with running() as (address, _):
        with load(lambda session: session.get(f"{address}/options", timeout=5), callers=2) as seen:
            while seen.answered < 5:
                time.sleep(0.01)
    assert seen.failed == 0
    assert len(seen.seconds) == seen.answered


def test_service_that_is_away_counts_as_failed():
    def ask(session):
        raise requests.ConnectionError

    with load(ask, callers=1) as seen:
        while seen.failed < 2:
            time.sleep(0.01)
    assert seen.answered == 0
    assert set(seen.statuses) == {"ConnectionError"}
