from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from movierating.films.film import Film, Plot
from movierating.films.text import measure_plot
from movierating.model.target_encoding import KOREAN_PLOT, Effects
from scripts.dataset.split import Sample
from scripts.training.korean_plots import MIN_PAIRS, add_korean_plots
from tests.support.bundles import effects_of
from tests.support.samples import rated

EFFECTS = effects_of({"plot": {"lighthouse": (1.0, 0.5), "tavern": (1.0, -0.5)}})
ENGLISH = {"등대": "A lighthouse.", "주막": "A tavern."}


def pairs(count: int, english: bool = True) -> Sample:
    """Create `count` films; their plots are about a lighthouse or a tavern, alternately.

    Each film has a Korean plot; if `english` is true, it also has an English plot.
    """
    words = [list(ENGLISH)[at % 2] for at in range(count)]
    films = [Film(plot=measure_plot(ENGLISH[word]) if english else None) for word in words]
    frame = rated(films, np.arange(count, 0, -1), np.full(count, 6), np.full(count, 99))
    return Sample(frame.assign(overview_ko=[f"{word}에서 만난다" for word in words]))


def told(effects: Effects, text: str) -> float:
    return effects.encode(Film(plot=Plot(None, None, None, text, "ko")))["effect=plot"]


def test_korean_ngrams_get_the_effect_of_their_films_english_plots():
    learned = add_korean_plots(EFFECTS, pairs(MIN_PAIRS))
    assert told(learned, "등대에서 만난다") == pytest.approx(0.5, abs=0.1)
    assert told(learned, "주막에서 만난다") == pytest.approx(-0.5, abs=0.1)
    assert told(learned, "등대의 밤") > 0 > told(learned, "주막의 밤")
    assert told(learned, "만난다") == pytest.approx(0, abs=0.05)


def test_pair_whose_english_plot_has_no_effect_is_ignored():
    frame = pairs(MIN_PAIRS + 1).frame
    frame.loc[MIN_PAIRS, "overview"] = "It is what it was."
    assert add_korean_plots(EFFECTS, Sample(frame)) == add_korean_plots(EFFECTS, Sample(frame[:-1]))


def test_unknown_ngrams_have_no_effect():
    assert told(add_korean_plots(EFFECTS, pairs(MIN_PAIRS)), "기차역") == 0


@pytest.mark.parametrize(
    "sample",
    [
        pairs(MIN_PAIRS - 1),
        pairs(MIN_PAIRS, english=False),
        Sample(pairs(MIN_PAIRS).frame.assign(overview_ko=None)),
        Sample(pairs(MIN_PAIRS).frame.assign(overview_ko="A plot left in English")),
        Sample(pd.concat([pairs(2).frame] * 40)),
    ],
)
def test_too_few_pairs_leave_the_effects_as_they_are(sample: Sample):
    assert add_korean_plots(EFFECTS, sample) is EFFECTS


def test_ratings_of_the_pairs_do_not_enter_directly():
    sample = pairs(MIN_PAIRS)
    others = Sample(sample.frame.assign(vote_average=1.0, vote_count=5))
    assert add_korean_plots(EFFECTS, sample) == add_korean_plots(EFFECTS, others)


def test_other_tables_stay():
    learned = add_korean_plots(EFFECTS, pairs(MIN_PAIRS))
    assert replace(learned, tables={"plot": learned.tables["plot"]}) == EFFECTS
    assert learned.tables.keys() == {"plot", KOREAN_PLOT}
