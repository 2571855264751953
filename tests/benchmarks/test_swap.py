from datetime import date
from pathlib import Path

import pytest

from benchmarks.production import Version, move, publish
from benchmarks.swap import Question
from movierating.registry.registry import Registry
from tests.support.bundles import RUN_DATE, Packed

BODY = {"genres": ["Drama"], "runtime": 100, "overview": "A ship sails to an island."}


@pytest.fixture
def versions(packed: Packed, tmp_path: Path) -> list[Version]:
    version = Version.of(packed.folder)
    return [version, version.shifted(tmp_path, 3.0, date(2026, 11, 22))]


def test_shifted_version_is_valid_and_has_its_own_name(versions: list[Version]):
    first, second = versions
    assert second.manifest.version.startswith("2026-11-22-")
    assert second.manifest.version != first.manifest.version
    assert second.bundle.effects.average == first.bundle.effects.average + 3


def test_answer_is_good_only_if_rating_and_interval_are_from_the_named_version(
    versions: list[Version],
):
    question = Question.of(BODY, versions)
    (one, (rating, interval)), (other, _) = question.expected.items()
    good = {"version": one, "rating": rating, "interval": interval}
    assert question.verdict(200, good) == "good"
    assert question.verdict(200, good | {"rating": rating + 0.01}) == "mixed"
    assert question.verdict(200, good | {"interval": {**interval, "low": 0.0}}) == "mixed"
    assert question.verdict(200, good | {"version": "2026-11-23-nobody"}) == "mixed"
    assert question.verdict(503, good) == "failed"
    assert other != one


def test_production_switches_back_and_forth(registry: Registry, versions: list[Version]):
    first, second = (publish(registry, each) for each in versions)
    for pointer, previous in ((first, None), (second, first), (first, second)):
        move(registry, pointer)
        current = registry.production()
        assert current
        assert current.pointer.version == pointer.version
        assert current.pointer.previous == (previous.version if previous else None)
    assert first.run_date == RUN_DATE
