from datetime import UTC, datetime
from typing import Any

import pytest

from movierating.registry.decisions import Decision, DecisionLog
from movierating.registry.manifest import BundleError
from movierating.registry.registry import Registry
from movierating.s3 import Bucket


@pytest.fixture
def log(bucket: Bucket) -> DecisionLog:
    return DecisionLog(bucket)


def decision(second: int = 0, **others: Any) -> Decision:
    facts = {
        "action": "refused",
        "version": "2026-11-23-0123456789ab",
        "production": "v1",
        "at": datetime(2026, 11, 23, 3, 0, second, tzinfo=UTC),
        "by": "tests",
        "reason": "a",
        "figures": {"holdout_rmse": 0.7},
    }
    return Decision.model_validate(facts | others)


def test_decisions_are_read_in_the_order_of_their_time(log: DecisionLog):
    decisions = [decision(second, reason=f"reason {second}") for second in range(3)]
    for each in reversed(decisions):
        log.record(each)
    assert log.decisions() == decisions
    assert log.decisions(last=2) == decisions[1:]


def test_decision_is_never_changed(log: DecisionLog):
    log.record(decision())
    log.record(decision(reason="another"))
    assert log.decisions() == [decision()]


@pytest.mark.parametrize(
    ("other", "known"),
    [
        ({}, True),
        ({"reason": "b"}, False),
        ({"production": "v2"}, False),
        ({"action": "promoted"}, False),
        ({"version": "another"}, False),
    ],
)
def test_same_decision_is_found_at_any_time(log: DecisionLog, other: Any, known: bool):
    log.record(decision())
    assert log.contains(decision(5, by="another", **other)) == known


def test_repeated_refusal_is_logged_once(registry: Registry):
    refusals = [decision(0), decision(1), decision(2, reason="b")]
    assert [registry.refuse(each) for each in refusals] == [True, False, True]
    assert registry.history() == [refusals[0], refusals[2]]


def test_unreadable_decision_is_named(log: DecisionLog, bucket: Bucket):
    bucket.put("models/ledger/1.json", b"{}")
    with pytest.raises(BundleError, match=r"^models/ledger/1.json is not a decision$"):
        log.decisions()
