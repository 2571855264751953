from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from movierating.films.source import TMDB, catalogue_films, describe, invented_films
from movierating.model.target_encoding import Effects
from movierating.registry.bundle import Bundle
from movierating.registry.manifest import Manifest
from movierating.registry.training_films import TrainingFilms
from scripts.dataset.split import Sample
from scripts.evaluation.gate import (
    MARGIN,
    MIN_FILMS_TO_COMPARE,
    compare,
    judge,
    judge_other_source,
    judge_without_champion,
    refused_by_date,
    unseen_by_both,
)
from tests.support.bundles import RUN_DATE, Packed, pack, scores
from tests.support.samples import opened_since

FIRST = date(2025, 1, 10)
LEVELS = (6.0, 6.9, 6.99, 7.0)
SPLIT = date(2025, 1, 1)  # split date of the bundles that `pack` makes


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Bundle]:
    """Create a bundle for each rating; the forecasts of the bundle lie around this rating."""
    folder = tmp_path_factory.mktemp("bundles")
    return {level: pack(folder / str(level), level=level).load() for level in LEVELS}


def holdout(first: date = FIRST, count: int = 200, level: float = 7.0) -> Sample:
    frame = opened_since(first, count, level)
    return Sample(frame[frame["release_date"] >= SPLIT.isoformat()])


def altered(bundle: Bundle, **facts: object) -> Bundle:
    return replace(bundle, manifest=bundle.manifest.model_copy(update=facts))


def split_at(bundle: Bundle, day: date) -> Bundle:
    split = bundle.manifest.split.model_copy(update={"split_date": day})
    return altered(bundle, split=split)


def test_better_model_wins_with_figures_of_all_films_and_of_each_subgroup(
    bundles: dict[float, Bundle],
):
    verdict = judge(bundles[7.0], bundles[6.0], holdout())
    assert verdict.promote
    champion = bundles[6.0].manifest.version
    assert verdict.reason.startswith(
        f"its recipe is unchanged, and it is better than {champion}: RMSE "
    )
    for name in ("all_films", "korean_films", "few_votes", "newest_year"):
        assert verdict.figures[f"{name}_films"] >= MIN_FILMS_TO_COMPARE
        assert verdict.figures[f"{name}_difference_high"] < 0


def test_verdict_is_the_same_every_time(bundles: dict[float, Bundle]):
    assert judge(bundles[7.0], bundles[6.9], holdout()) == judge(
        bundles[7.0], bundles[6.9], holdout()
    )


def of_new_recipe(bundle: Bundle) -> Bundle:
    return altered(bundle, recipe="another")


def test_model_of_the_same_recipe_is_promoted_unless_it_may_be_worse_by_the_margin(
    bundles: dict[float, Bundle],
):
    """A model that is one month newer is neither better nor worse by more than chance."""
    verdict = judge(bundles[6.99], bundles[7.0], holdout())
    low, high = (verdict.figures[f"all_films_difference_{end}"] for end in ("low", "high"))
    assert low < 0.001 < high < MARGIN
    assert verdict.promote
    assert "its recipe is unchanged, and it is less than 0.02 worse than" in verdict.reason


def test_model_that_may_be_worse_by_the_margin_is_refused(bundles: dict[float, Bundle]):
    # With 40 films, every subgroup is too small to be compared.
    verdict = judge(bundles[6.9], bundles[7.0], holdout(count=40))
    low, high = (verdict.figures[f"all_films_difference_{end}"] for end in ("low", "high"))
    assert low < 0
    assert high > MARGIN
    assert not verdict.promote
    assert "it may be worse than" in verdict.reason
    assert "by the margin of 0.02 or more: RMSE " in verdict.reason


@pytest.mark.parametrize("champion_recipe", ["recipe", None])
def test_new_recipe_has_to_be_better(bundles: dict[float, Bundle], champion_recipe: str | None):
    """A champion of format 2 does not name its recipe, so every recipe is new."""
    challenger = of_new_recipe(bundles[6.99])
    champion = altered(bundles[7.0], recipe=champion_recipe)
    verdict = judge(challenger, champion, holdout())
    assert verdict.figures["all_films_difference_high"] < MARGIN
    assert not verdict.promote
    assert verdict.reason.startswith("its recipe is new, and it is not better than ")
    turned = judge(of_new_recipe(bundles[7.0]), bundles[6.99], holdout())
    assert turned.promote
    assert turned.reason.startswith("its recipe is new, and it is better than ")


def test_new_recipe_that_is_equally_good_is_refused(bundles: dict[float, Bundle]):
    assert not judge(of_new_recipe(bundles[7.0]), bundles[7.0], holdout()).promote
    assert judge(bundles[7.0], bundles[7.0], holdout()).promote


def test_two_models_that_name_no_recipe_do_not_share_one(bundles: dict[float, Bundle]):
    nameless = altered(bundles[7.0], recipe=None)
    assert not judge(nameless, nameless, holdout()).promote


def test_model_that_is_better_overall_and_worse_for_korean_films_is_refused(
    bundles: dict[float, Bundle],
):
    films = holdout()
    korean = films.frame["original_language"] == "ko"
    frame = films.frame.assign(
        vote_average=films.frame["vote_average"].where(~korean, films.frame["vote_average"] - 1)
    )
    verdict = judge(bundles[7.0], bundles[6.0], Sample(frame))
    assert verdict.figures["all_films_difference_high"] < 0
    assert verdict.figures["korean_films_difference_low"] > 0
    assert not verdict.promote
    assert "worse than" in verdict.reason
    assert "korean films (RMSE " in verdict.reason
    assert "all films" not in verdict.reason


def test_subgroup_of_few_films_is_not_compared(bundles: dict[float, Bundle]):
    verdict = judge(bundles[7.0], bundles[6.0], holdout(count=60))
    assert verdict.promote
    assert "korean_films_rmse" not in verdict.figures


def test_models_are_compared_on_films_that_neither_was_trained_on(bundles: dict[float, Bundle]):
    films = holdout()
    later = FIRST + timedelta(days=300)
    for challenger, champion in (
        (bundles[7.0], split_at(bundles[6.0], later)),
        (split_at(bundles[7.0], later), bundles[6.0]),
    ):
        opened = unseen_by_both(challenger, champion, films).opened
        assert len(opened) == 100
        assert opened.min() >= np.datetime64(later)


@pytest.mark.parametrize("turned", [False, True], ids=["champion", "challenger"])
@pytest.mark.parametrize("film", [3, 250], ids=["similar film", "film with few votes"])
def test_training_film_of_either_model_with_a_moved_release_date_is_left_out(
    bundles: dict[float, Bundle], film: int, turned: bool
):
    """The index of similar films has only training films with many votes."""
    nothing = replace(bundles[7.0], training_films=TrainingFilms.of(()))
    pair = (bundles[6.0], nothing) if turned else (nothing, bundles[6.0])
    films = holdout()
    known = Sample(films.frame.assign(id=[film, *films.frame["id"][1:]]))
    unseen = unseen_by_both(*pair, known)
    assert len(unseen) == len(films) - 1
    assert film not in set(unseen.frame["id"])


def test_gate_compares_the_measured_models_and_not_the_served_ones(bundles: dict[float, Bundle]):
    """The served models have learned from the films on which models are compared."""
    challenger, champion = (
        replace(bundles[level], model=bundles[6.0].model, effects=Effects(SPLIT, 0.0, {}))
        for level in (7.0, 6.9)
    )
    assert judge(challenger, champion, holdout()) == judge(bundles[7.0], bundles[6.9], holdout())


def test_too_few_unseen_films_leave_production_as_it_is(bundles: dict[float, Bundle]):
    opened = holdout().opened
    late = opened[-(MIN_FILMS_TO_COMPARE - 1)].astype(date)
    verdict = judge(bundles[7.0], split_at(bundles[6.0], late), holdout())
    assert not verdict.promote
    assert verdict.reason.startswith(f"only {MIN_FILMS_TO_COMPARE - 1} films are new to both")
    assert "production stays as it is" in verdict.reason


@pytest.mark.parametrize("name", ["mean", "recent_mean", "genre_mean", "old_model"])
def test_challenger_has_to_beat_every_baseline(bundles: dict[float, Bundle], name: str):
    baselines = bundles[7.0].manifest.baselines | {name: scores(0.69)}
    challenger = altered(bundles[7.0], baselines=baselines)
    verdict = judge(challenger, bundles[6.0], holdout())
    assert not verdict.promote
    assert verdict.reason == f"its hold-out RMSE of 0.700 does not beat {name} (0.690)"


def test_first_version_has_to_beat_the_naive_baselines(packed: Packed):
    def alone(name: str) -> bool:
        baselines = packed.manifest.baselines | {name: scores(0.69)}
        return judge_without_champion(
            packed.manifest.model_copy(update={"baselines": baselines}), ""
        ).promote

    allowed = {name: alone(name) for name in packed.manifest.baselines}
    assert allowed == {"mean": False, "recent_mean": False, "genre_mean": False, "old_model": True}


def of(packed: Packed, source: str, **facts: object) -> Manifest:
    data = packed.manifest.data.model_copy(update={"source": source})
    return packed.manifest.model_copy(update={"data": data, **facts})


INVENTED, OTHERS = invented_films("1a2b"), catalogue_films("films", "3c4d")


@pytest.mark.parametrize(
    ("ours", "champions", "promote"),
    [
        (TMDB, INVENTED, True),
        (TMDB, "127.0.0.1", True),  # as version 1.0.0 named the stand-in
        (OTHERS, INVENTED, True),
        (TMDB, OTHERS, True),
        (OTHERS, TMDB, True),
        (OTHERS, catalogue_films("films", "5e6f"), True),
        (INVENTED, invented_films("7a8b"), True),
        (INVENTED, TMDB, False),
        (INVENTED, OTHERS, False),
        (INVENTED, None, False),  # nobody knows the films, so they may be real
        (TMDB, TMDB, None),  # to be compared
        (INVENTED, INVENTED, None),
        (TMDB, None, None),
    ],
)
def test_source_of_the_films_decides_before_any_comparison(
    packed: Packed, ours: str, champions: str | None, promote: bool | None
):
    verdict = judge_other_source(of(packed, ours), "v1", champions)
    assert (verdict.promote if verdict else None) == promote
    if verdict and champions:
        assert f"trained on {describe(ours)}, and v1 on {describe(champions)}" in verdict.reason


@pytest.mark.parametrize(
    ("ours", "champions", "promote"),
    [(TMDB, INVENTED, True), (OTHERS, TMDB, False), (INVENTED, invented_films("7a8b"), False)],
)
def test_only_real_films_after_invented_ones_need_not_beat_the_means(
    packed: Packed, ours: str, champions: str, promote: bool
):
    poor = of(packed, ours, baselines=packed.manifest.baselines | {"mean": scores(0.69)})
    verdict = judge_other_source(poor, "v1", champions)
    assert verdict is not None
    assert verdict.promote == promote
    assert "its hold-out RMSE of 0.700 does not beat mean (0.690)" in verdict.reason


def test_worse_means_significantly_larger_errors():
    rng = np.random.default_rng(5)
    errors = rng.normal(0, 0.6, 200)
    assert compare(errors * 1.5, errors).worse
    assert not compare(errors, errors * 1.5).worse
    assert not compare(errors + rng.normal(0, 0.01, 200), errors).worse


def test_comparison_pairs_the_films():
    """A small improvement on every film is significant, although errors differ much between films.

    Without the pairing, the same errors in another order show no significant difference.
    """
    rng = np.random.default_rng(1)
    champion = rng.normal(0, 1, 300)
    paired = compare(champion * 0.98, champion)
    assert paired.high < 0
    unpaired = compare(rng.permutation(champion * 0.98), champion)
    assert unpaired.high > 0
    assert compare(champion, champion * 0.98).worse
    same = compare(champion, champion)
    assert (same.low, same.high) == (0, 0)
    assert not same.worse


@pytest.mark.parametrize(
    ("days", "rolled_back_from", "reason"),
    [
        (-1, None, "production never moves backwards"),
        (0, None, None),
        (1, None, None),
        (-1, "v2", "production never moves backwards"),
        (0, "v2", "rolled back from v2; only a run of a date after 2026-11-23"),
        (1, "v2", None),
    ],
)
def test_run_date_can_refuse_a_challenger(
    packed: Packed, days: int, rolled_back_from: str | None, reason: str | None
):
    run_date = RUN_DATE + timedelta(days=days)
    challenger = packed.manifest.model_copy(update={"run_date": run_date})
    refused = refused_by_date(challenger, packed.pointer(rolled_back_from=rolled_back_from))
    assert (refused is None) == (reason is None)
    assert (reason or "") in (refused or "")
