import gzip
import json
from datetime import date, timedelta

import pytest

from movierating.ledger.ledger import ForecastLedger, LedgerError
from movierating.ledger.records import DriftReport, Forecast, Retraining
from movierating.s3 import Bucket
from tests.support.bundles import RUN_DATE
from tests.support.films import moment
from tests.support.forecasts import forecast, scored

DAY = timedelta(days=1)
OPENS = RUN_DATE + 10 * DAY


@pytest.fixture
def ledger(bucket: Bucket) -> ForecastLedger:
    return ForecastLedger(bucket)


def everything(bucket: Bucket) -> dict[str, bytes]:
    blobs = {key: bucket.get(key) for key in bucket.keys("")}
    return {key: blob.raw for key, blob in blobs.items() if blob}


def said(ledger: ForecastLedger) -> list[Forecast]:
    return list(ledger.said(date.min, date.max))


def test_forecasts_come_back_as_they_were_made(ledger: ForecastLedger):
    made = [forecast(1), forecast(2, rating=7.0, title="여름의 끝")]
    ledger.say(made)
    assert said(ledger) == made


def test_forecasts_are_readable_without_this_code(ledger: ForecastLedger, bucket: Bucket):
    ledger.say([forecast(2), forecast(1)])
    ((key, raw),) = everything(bucket).items()
    assert key.startswith("forecasts/made/2026-11-23/2026-11-23-0123456789ab-")
    records = [json.loads(line) for line in gzip.decompress(raw).splitlines()]
    assert [each["film_id"] for each in records] == [1, 2]
    assert records[0]["made_at"] == "2026-11-23T12:00:00Z"


def test_saying_the_same_later_on_the_day_changes_no_byte(ledger: ForecastLedger, bucket: Bucket):
    ledger.say([forecast(1)])
    before = everything(bucket)
    ledger.say([forecast(1, made_at=forecast(1).made_at + timedelta(hours=3))])
    assert everything(bucket) == before


def test_saying_something_else_adds_and_leaves_what_was_said(
    ledger: ForecastLedger, bucket: Bucket
):
    ledger.say([forecast(1)])
    before = everything(bucket)
    ledger.say([forecast(1, rating=6.6)])
    after = everything(bucket)
    assert before.items() < after.items()
    assert sorted(each.rating for each in said(ledger)) == [6.5, 6.6]


def test_nothing_is_written_where_nothing_was_said(ledger: ForecastLedger, bucket: Bucket):
    ledger.say([])
    ledger.score(RUN_DATE, [])
    assert everything(bucket) == {}
    assert ledger.first_day is None


def test_forecasts_are_read_from_one_day_to_another(ledger: ForecastLedger):
    for days in range(4):
        ledger.say([forecast(1, RUN_DATE + days * DAY)])
    found = ledger.said(RUN_DATE + DAY, RUN_DATE + 2 * DAY)
    assert [each.day for each in found] == [RUN_DATE + DAY, RUN_DATE + 2 * DAY]
    assert ledger.first_day == RUN_DATE


def test_film_is_scored_once_for_each_mark_and_the_first_score_stays(ledger: ForecastLedger):
    first = [scored(1), scored(1, mark="30 days")]
    ledger.score(RUN_DATE, first)
    ledger.score(RUN_DATE + DAY, [scored(1, actual=9.0), scored(2)])
    found = {(each.film_id, each.mark): each.actual for each in ledger.scores()}
    assert found == {(1, "90 days"): 6.0, (1, "30 days"): 6.0, (2, "90 days"): 6.0}


def test_newest_report_of_drift_is_found(ledger: ForecastLedger):
    assert ledger.newest_drift() is None
    for hour in (0, 1, 2, 24, 25):
        at = moment() + timedelta(hours=hour)
        report = DriftReport(
            day=at.date(), made_at=at, version="v", figures={"hour": hour}, alerts=()
        )
        ledger.report_drift(report)
        assert ledger.newest_drift() == report


def test_same_report_later_on_the_day_changes_no_byte(ledger: ForecastLedger, bucket: Bucket):
    report = DriftReport(day=RUN_DATE, made_at=moment(), version="v", figures={}, alerts=())
    ledger.report_drift(report)
    before = everything(bucket)
    ledger.report_drift(report.model_copy(update={"made_at": moment(hour=20)}))
    assert everything(bucket) == before


def test_day_has_one_retraining_which_keeps_its_reason(ledger: ForecastLedger, bucket: Bucket):
    def may_retrain(run_id: str, day: date = RUN_DATE) -> bool:
        return ledger.may_retrain(Retraining(day=day, run_id=run_id, reason=f"of {run_id}"))

    assert may_retrain("morning")
    assert not may_retrain("evening")
    assert may_retrain("morning")  # tried again
    assert may_retrain("evening", RUN_DATE + DAY)
    blob = bucket.get("forecasts/retrainings/2026-11-23.json")
    assert blob is not None
    assert json.loads(blob.raw)["reason"] == "of morning"


@pytest.mark.parametrize(
    "raw",
    [b"", b"no gzip", gzip.compress(b"{}"), gzip.compress(b"no json")],
    ids=["empty", "no-gzip", "no-record", "no-json"],
)
def test_damaged_record_is_named(ledger: ForecastLedger, bucket: Bucket, raw: bytes):
    bucket.put("forecasts/made/2026-11-23/v-0.jsonl.gz", raw)
    with pytest.raises(LedgerError, match=r"forecasts/made/2026-11-23/v-0.jsonl.gz is not what"):
        said(ledger)


def test_key_that_is_not_the_ledgers_is_named(ledger: ForecastLedger, bucket: Bucket):
    bucket.put("forecasts/made/notes.txt", b"")
    with pytest.raises(LedgerError, match=r"notes.txt"):
        said(ledger)
