from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from movierating.model.distribution_scores import DistributionScores
from movierating.registry.evidence import Evidence, Narrowing, SubgroupReliability
from scripts.evaluation.diagnostics import Bin, Diagnosis, Subgroup
from scripts.evaluation.report import Report, evidence, model_card, report
from tests.support.bundles import Packed, scores


def reliable(kind: str, name: str, **others: Any) -> SubgroupReliability:
    """Create the reliability of 61 films."""
    return SubgroupReliability.model_validate({"kind": kind, "name": name, "films": 61} | others)


DIAGNOSIS = Diagnosis(
    errors=np.asarray([-0.5, 0.1, 0.4]),
    subgroups=[
        Subgroup("language", "ko", scores(0.51), 0.83),
        Subgroup("genre", "Science Fiction <3", scores(0.93), 0.71),
    ],
    calibration=[Bin(5.5, 5.6, 10), Bin(6.5, 6.4, 10)],
    curve=[(100, 0.8), (1000, 0.7)],
    importance={"genre": 0.33, "plot": 0.2},
    ablation={"genre": 0.0716},
    label_ablation={"weights by votes": 0.0123},
    recent_bias=-0.042,
    distribution={
        "all_facts": DistributionScores.of({7.0: [0.3, 0.9]}, [0.31, 0.33], [6.1, 7.4]),
        "form": DistributionScores.of({7.0: [0.4, 0.5]}, [0.41, 0.43], [6.1, 7.4]),
    },
    reliability=(
        reliable("language", "ko", bias=0.31, coverage=0.66, biased=True, badly_covered=True),
        reliable("language", "fr", bias=-0.12, coverage=0.79, biased=True, badly_covered=False),
        reliable("genre", "Horror", bias=0.02, coverage=0.81, biased=False, badly_covered=False),
    ),
    narrowing=(Narrowing(field="directors", films=61, beside_form=0.21, beside_all=0.1),),
)


class Checker(HTMLParser):
    """Parser that lists the addresses that a page loads or links to, and its unclosed tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def alone(packed: Packed) -> Report:
    """Write the report on a model, without another model to compare it with."""
    return report(packed.manifest, DIAGNOSIS, None)


@pytest.fixture(scope="module")
def compared(packed: Packed, newer: Packed) -> Report:
    """Write the report on a model that is compared with the one in production."""
    return report(newer.manifest, DIAGNOSIS, packed.manifest)


@pytest.fixture
def page(alone: Report) -> str:
    return alone.page


def test_page_closes_its_tags_and_loads_nothing(page: str):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert [each for each in checker.loaded if not each.startswith("#")] == []


def test_page_shows_metrics_beside_every_baseline(page: str, packed: Packed):
    for name in packed.manifest.baselines:
        assert name.replace("_", " ") in page
    assert "all facts" in page
    assert "the form's fields" in page
    assert "0.0716" in page
    assert "0.0123" in page
    assert "0.042 points too\nlow" in page


def test_page_draws_its_pictures(page: str):
    assert page.count("<svg") == 1
    for title in ("Calibration", "Errors", "Learning curve"):
        assert f"{title}</text>" in page


def test_names_from_tmdb_are_escaped(page: str):
    assert "Science Fiction &lt;3" in page
    assert "Fiction <3" not in page


@pytest.mark.parametrize(("name", "tables"), [("alone", 8), ("compared", 9)])
def test_every_table_of_the_text_is_on_the_page(
    request: pytest.FixtureRequest, name: str, tables: int
):
    told: Report = request.getfixturevalue(name)
    assert told.text.count("|\n|---") == told.page.count("<table>") == tables
    assert "|" not in told.page


def test_report_states_the_typical_and_the_large_error(alone: Report):
    assert "off by less than 0.40, one in ten by more than\n0.48" in alone.text


def test_same_model_gives_the_same_page(page: str, packed: Packed):
    assert report(packed.manifest, DIAGNOSIS, None).page == page


def test_page_compares_with_the_model_in_production(packed: Packed, compared: Report):
    page = compared.page
    assert packed.manifest.version in page
    assert f">{packed.manifest.run_date}</td>" in page
    assert "No model in production" not in page


def test_report_and_card_say_that_the_served_model_was_not_measured(packed: Packed, alone: Report):
    card = model_card(packed.manifest, DIAGNOSIS)
    for text in (" ".join(alone.text.split()), " ".join(card.split())):
        assert "trained again on all 400 films until 2026-11-23" in text
        assert "its forecasts differ by 0.050 points on average" in text
    assert "and was not measured" in " ".join(alone.text.split())
    assert "- **Measured model**: trained on 300 films" in card
    assert "\n- **Served model**: trained again" in card
    assert "## Accuracy of the measured model" in card


def test_report_and_card_say_that_a_refit_was_refused(packed: Packed):
    manifest = packed.manifest.model_copy(update={"refit": None, "refused_refit": 0.31})
    text = " ".join(report(manifest, DIAGNOSIS, None).text.split())
    assert "It is also the model that is served" in text
    card = model_card(manifest, DIAGNOSIS)
    assert "\n- **Served model**: the measured model." in card
    for each in (text, " ".join(card.split())):
        assert (
            "whose forecasts differ by 0.310 points on average, so that model was refused" in each
        )
    assert "\n- **Code**" in card


def test_card_names_the_weakest_subgroups_first_and_the_score_of_each_baseline(packed: Packed):
    card = model_card(packed.manifest, DIAGNOSIS)
    assert card.index("Science Fiction <3") < card.index("language: ko")
    assert card.startswith("# Model card\n")
    for name in packed.manifest.baselines:
        assert f"| {name.replace('_', ' ')} |" in card


def test_report_and_card_state_the_scores_of_the_probabilities(alone: Report, packed: Packed):
    # known, rating, share, Brier score, of the base rate, off
    all_facts, form = ("all facts", 0.05, 0.1), ("the form's fields", 0.205, 0.05)
    for known, brier, off in (all_facts, form):
        assert f"| {known} | 7 | 50 % | {brier:.3f} | 0.250 | {off:.3f} |" in alone.text
        card = model_card(packed.manifest, DIAGNOSIS)
        assert f"| {known} | 7 | {brier:.3f} | 0.250 | {off:.3f} |" in card


def test_report_and_card_name_what_is_not_reliable(alone: Report, packed: Packed):
    assert "| language | ko | 61 | 0.310 | 66 % |" in alone.text
    assert "| genre | Horror | 61 |" not in alone.text
    card = " ".join(model_card(packed.manifest, DIAGNOSIS).split())
    assert (
        "For the language ko (61 films), forecasts are 0.31 too high on average, and in the 80 % "
        "interval for 66 % of the films. "
        "For the language fr (61 films), forecasts are 0.12 too low on average. ## Limits"
    ) in card


def test_report_says_if_all_are_reliable(packed: Packed):
    text = report(packed.manifest, replace(DIAGNOSIS, reliability=()), None).text
    assert "No language or genre has biased forecasts" in text


def test_evidence_has_the_scores_of_the_distributions_and_the_reliability():
    told = evidence(DIAGNOSIS)
    assert told.distribution == DIAGNOSIS.distribution
    assert told.reliability == DIAGNOSIS.reliability
    assert told.narrowing == DIAGNOSIS.narrowing
    assert Evidence.model_validate_json(told.model_dump_json()) == told


def test_evidence_of_version_1_0_0_has_none_of_them():
    told = Evidence.model_validate_json('{"slices": [], "calibration": [], "importance": {}}')
    assert (told.distribution, told.reliability, told.narrowing) == ({}, (), ())


def test_evidence_has_every_subgroup_and_bin():
    told = evidence(DIAGNOSIS)
    assert [(each.kind, each.name, each.coverage) for each in told.slices] == [
        ("language", "ko", 0.83),
        ("genre", "Science Fiction <3", 0.71),
    ]
    assert told.slices[1].scores.rmse == 0.93
    assert [(each.forecast, each.rating, each.films) for each in told.calibration] == [
        (5.5, 5.6, 10),
        (6.5, 6.4, 10),
    ]
    assert told.importance == DIAGNOSIS.importance
