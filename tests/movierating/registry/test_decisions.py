from datetime import UTC, datetime
from typing import Any

import pytest

from movierating.registry.decisions import Decision, DecisionLog
from movierating.registry.manifest import BundleError
from movierating.registry.registry import Registry
from movierating.s3 import Bucket


@pytest.fixture
def ledger(bucket: Bucket) -> DecisionLog:
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


def test_decisions_come_back_whole_in_the_order_of_their_time(ledger: DecisionLog):
    decisions = [decision(second, reason=f"reason {second}") for second in range(3)]
    for each in reversed(decisions):
        ledger.record(each)
    assert ledger.decisions() == decisions
    assert ledger.decisions(last=2) == decisions[1:]


def test_line_is_never_rewritten(ledger: DecisionLog):
    ledger.record(decision())
    ledger.record(decision(reason="another"))
    assert ledger.decisions() == [decision()]


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
def test_same_decision_is_known_at_whatever_time(ledger: DecisionLog, other: Any, known: bool):
    ledger.record(decision())
    assert ledger.contains(decision(5, by="another", **other)) == known


def test_same_refusal_is_recorded_once_and_another_again(registry: Registry):
    refusals = [decision(0), decision(1), decision(2, reason="b")]
    assert [registry.refuse(each) for each in refusals] == [True, False, True]
    assert registry.history() == [refusals[0], refusals[2]]


def test_line_that_cannot_be_read_is_named(ledger: DecisionLog, bucket: Bucket):
    bucket.put("models/ledger/1.json", b"{}")
    with pytest.raises(BundleError, match=r"^models/ledger/1.json is not a decision$"):
        ledger.decisions()
