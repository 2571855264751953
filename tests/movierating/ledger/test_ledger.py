import gzip
import json
import tracemalloc
from datetime import date, timedelta

import pytest

from movierating.ledger.ledger import ForecastLedger, LedgerError
from movierating.ledger.records import DriftReport, Forecast, Retraining, VersionErrors
from movierating.s3 import Bucket
from tests.support.bundles import RUN_DATE
from tests.support.films import moment
from tests.support.forecasts import VERSION, VERSION_ERRORS, forecast, scored

DAY = timedelta(days=1)


@pytest.fixture
def ledger(bucket: Bucket) -> ForecastLedger:
    return ForecastLedger(bucket)


def everything(bucket: Bucket) -> dict[str, bytes]:
    blobs = {key: bucket.get(key) for key in bucket.keys("")}
    return {key: blob.raw for key, blob in blobs.items() if blob}


def all_forecasts(ledger: ForecastLedger) -> list[Forecast]:
    return list(ledger.read(date.min, date.max))


def test_forecasts_are_read_as_they_were_appended(ledger: ForecastLedger):
    made = [forecast(1), forecast(2, rating=7.0, title="여름의 끝")]
    ledger.append(made)
    assert all_forecasts(ledger) == made


def test_errors_of_a_version_are_kept_with_its_first_forecasts(
    ledger: ForecastLedger, bucket: Bucket
):
    assert ledger.errors(VERSION) is None
    ledger.append([forecast(1)], VERSION_ERRORS[VERSION])
    assert ledger.errors(VERSION) == VERSION_ERRORS[VERSION]
    before = everything(bucket)
    ledger.append([forecast(1)], VersionErrors(quantiles=(0.0, 1.0), trend=0.0))
    assert everything(bucket) == before
    bucket.put(f"forecasts/errors/{VERSION}.json", b'{"quantiles": [1, 0], "trend": 0}')
    with pytest.raises(LedgerError, match=f"forecasts/errors/{VERSION}.json is damaged"):
        ledger.errors(VERSION)


def test_forecasts_are_stored_as_gzipped_json_lines(ledger: ForecastLedger, bucket: Bucket):
    ledger.append([forecast(2), forecast(1)])
    ((key, raw),) = everything(bucket).items()
    assert key.startswith("forecasts/made/2026-11-23/2026-11-23-0123456789ab-")
    records = [json.loads(line) for line in gzip.decompress(raw).splitlines()]
    assert [each["film_id"] for each in records] == [1, 2]
    assert records[0]["made_at"] == "2026-11-23T12:00:00Z"


def test_appending_the_same_forecasts_later_on_the_day_changes_no_byte(
    ledger: ForecastLedger, bucket: Bucket
):
    ledger.append([forecast(1)])
    before = everything(bucket)
    ledger.append([forecast(1, made_at=forecast(1).made_at + timedelta(hours=3))])
    assert everything(bucket) == before


def test_appending_other_forecasts_keeps_the_earlier_ones(ledger: ForecastLedger, bucket: Bucket):
    ledger.append([forecast(1)])
    before = everything(bucket)
    ledger.append([forecast(1, rating=6.6)])
    after = everything(bucket)
    assert before.items() < after.items()
    assert sorted(each.rating for each in all_forecasts(ledger)) == [6.5, 6.6]


def test_appending_nothing_writes_nothing(ledger: ForecastLedger, bucket: Bucket):
    ledger.append([])
    ledger.append_scores(RUN_DATE, [])
    assert everything(bucket) == {}
    assert ledger.first_day is None


def test_forecasts_of_a_range_of_days_are_read(ledger: ForecastLedger):
    for days in range(4):
        ledger.append([forecast(1, RUN_DATE + days * DAY)])
    found = ledger.read(RUN_DATE + DAY, RUN_DATE + 2 * DAY)
    assert [each.day for each in found] == [RUN_DATE + DAY, RUN_DATE + 2 * DAY]
    assert ledger.first_day == RUN_DATE


def test_first_score_of_a_film_at_a_mark_stays(ledger: ForecastLedger):
    first = [scored(1), scored(1, mark="30 days")]
    ledger.append_scores(RUN_DATE, first)
    ledger.append_scores(RUN_DATE + DAY, [scored(1, actual=9.0), scored(2)])
    found = {(each.film_id, each.mark): each.actual for each in ledger.scores()}
    assert found == {(1, "90 days"): 6.0, (1, "30 days"): 6.0, (2, "90 days"): 6.0}


def test_newest_drift_report_is_read(ledger: ForecastLedger):
    assert ledger.newest_drift_report() is None
    for hour in (0, 1, 2, 24, 25):
        at = moment() + timedelta(hours=hour)
        report = DriftReport(
            day=at.date(), made_at=at, version="v", figures={"hour": hour}, alerts=()
        )
        ledger.append_drift_report(report)
        assert ledger.newest_drift_report() == report


def test_appending_the_same_report_later_on_the_day_changes_no_byte(
    ledger: ForecastLedger, bucket: Bucket
):
    report = DriftReport(day=RUN_DATE, made_at=moment(), version="v", figures={}, alerts=())
    ledger.append_drift_report(report)
    before = everything(bucket)
    ledger.append_drift_report(report.model_copy(update={"made_at": moment(hour=20)}))
    assert everything(bucket) == before


def test_one_run_claims_the_retraining_of_a_day_and_its_reason_stays(
    ledger: ForecastLedger, bucket: Bucket
):
    def claim(run_id: str, day: date = RUN_DATE) -> bool:
        return ledger.claim_retraining(Retraining(day=day, run_id=run_id, reason=f"of {run_id}"))

    assert claim("morning")
    assert not claim("evening")
    assert claim("morning")  # the same run again, such as a retry
    assert claim("evening", RUN_DATE + DAY)
    blob = bucket.get("forecasts/retrainings/2026-11-23.json")
    assert blob is not None
    assert json.loads(blob.raw)["reason"] == "of morning"


@pytest.mark.parametrize(
    "raw",
    [b"", b"no gzip", gzip.compress(b"{}"), gzip.compress(b"no json")],
    ids=["empty", "no-gzip", "no-record", "no-json"],
)
def test_error_for_a_damaged_object_names_it(ledger: ForecastLedger, bucket: Bucket, raw: bytes):
    bucket.put("forecasts/made/2026-11-23/v-0.jsonl.gz", raw)
    with pytest.raises(LedgerError, match=r"forecasts/made/2026-11-23/v-0.jsonl.gz is damaged"):
        all_forecasts(ledger)


def test_object_that_would_fill_the_memory_is_not_decompressed(
    ledger: ForecastLedger, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("movierating.ledger.ledger.MAX_LINES_BYTES", 100_000)
    bucket.put("forecasts/made/2026-11-23/v-0.jsonl.gz", gzip.compress(b" " * 10_000_000))
    tracemalloc.start()
    with pytest.raises(LedgerError, match=r"v-0.jsonl.gz is damaged"):
        all_forecasts(ledger)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_error_for_a_foreign_object_names_it(ledger: ForecastLedger, bucket: Bucket):
    bucket.put("forecasts/made/notes.txt", b"")
    with pytest.raises(LedgerError, match=r"notes.txt"):
        all_forecasts(ledger)
