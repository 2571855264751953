from datetime import UTC, datetime
from typing import Any

from app.background.decisions_reader import DecisionsReader
from movierating.registry.decisions import DECISIONS_PREFIX, Decision, DecisionLog
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings


def decision(day: int, **others: Any) -> Decision:
    """Create a decision that refused a model version, made on this day of November 2026."""
    facts = {
        "action": "refused",
        "version": f"2026-11-{day}-0123456789ab",
        "production": "2026-11-20-0123456789ab",
        "at": datetime(2026, 11, day, 3, tzinfo=UTC),
        "by": "tests",
        "reason": "it is not better by more than chance",
        "figures": {"holdout_rmse": 0.7, "baseline_mean_rmse": 0.8},
    }
    return Decision.model_validate(facts | others)


def test_each_decision_is_read_once_and_kept_when_s3_goes_away(
    bucket_settings: Settings, bucket: Bucket
):
    lost = bucket_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})
    buckets = [bucket, bucket, open_bucket(lost)]  # one for each refresh
    reader = DecisionsReader(lambda: buckets.pop(0))
    DecisionLog(bucket).record(decision(22))
    reader.refresh()
    (first,) = reader.decisions
    DecisionLog(bucket).record(decision(23))
    reader.refresh()
    assert reader.decisions[-1] is first
    reader.refresh()
    assert reader.problem is not None
    assert reader.decisions == [decision(23), decision(22)]


def test_unreadable_decision_is_left_out(bucket: Bucket):
    DecisionLog(bucket).record(decision(22))
    bucket.put(f"{DECISIONS_PREFIX}20261123T030000.000000Z-refused-odd.json", b"{}")
    reader = DecisionsReader(lambda: bucket)
    reader.refresh()
    assert (reader.problem, reader.decisions) == (None, [decision(22)])
