from datetime import timedelta

import pytest

from app.background.forecasts_reader import ForecastsReader
from movierating.ledger.ledger import UPCOMING_KEY, ForecastLedger
from movierating.s3 import Bucket
from tests.app.conftest import UPCOMING
from tests.support.bundles import RUN_DATE


@pytest.mark.usefixtures("ledger_settings")
def test_only_a_changed_view_is_read_again(bucket: Bucket):
    reader = ForecastsReader(lambda: bucket)
    reader.refresh()
    before, record = reader.upcoming, reader.track_record
    later = UPCOMING.model_copy(update={"as_of": RUN_DATE + timedelta(1)})
    ForecastLedger(bucket).write_view(UPCOMING_KEY, later)
    reader.refresh()
    assert (before, reader.upcoming) == (UPCOMING, later)
    assert reader.track_record is record


@pytest.mark.usefixtures("ledger_settings")
def test_view_that_cannot_be_parsed_keeps_the_previous_one(bucket: Bucket):
    reader = ForecastsReader(lambda: bucket)
    reader.refresh()
    bucket.put(UPCOMING_KEY, b"{}")
    reader.refresh()
    assert reader.problem == "the forecast ledger cannot be parsed"
    assert reader.upcoming == UPCOMING


@pytest.mark.usefixtures("ledger_settings")
def test_view_that_is_too_large_keeps_the_previous_one(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    reader = ForecastsReader(lambda: bucket)
    reader.refresh()
    monkeypatch.setattr("app.background.forecasts_reader.MAX_VIEW_BYTES", 10)
    bucket.put(UPCOMING_KEY, b" " * 11)
    reader.refresh()
    assert reader.problem is not None
    assert f"{UPCOMING_KEY} has 11 bytes" in reader.problem
    assert reader.upcoming == UPCOMING
