import pandas as pd
import pytest

from benchmarks.korean import figures, spreads, with_pairs

SAID = pd.DataFrame(
    {
        "english": [6.4, 6.0] * 10,
        "korean": [6.3, 6.1] * 10,
        "unknown": [6.2] * 20,
        "genre": ["Drama"] * 18 + ["Western"] * 2,
        "rating": [6.2] * 20,
    }
)


def test_differences_are_measured_from_the_forecast_with_the_english_plot():
    found = figures(SAID)
    assert (found["difference"], found["difference_unknown"]) == (0.1, 0.2)


def test_errors_are_measured_from_the_ratings():
    found = figures(SAID)
    errors = [found[f"rmse_{name}"] for name in ("english", "korean", "unknown")]
    assert errors == [0.2, 0.1, 0.0]


def test_standard_deviation_is_computed_only_for_genres_with_many_films():
    table = spreads(SAID)
    assert table.index.tolist() == ["Drama"]
    assert table["english"].tolist() == pytest.approx([0.2058], abs=1e-4)
    assert table["korean"].tolist() == pytest.approx([0.1029], abs=1e-4)


def test_korean_plots_are_joined_to_their_films():
    pairs = pd.DataFrame({"id": [2], "overview_ko": ["편지"]})
    laid = with_pairs(pd.DataFrame({"id": [1, 2]}), pairs)["overview_ko"]
    assert laid.notna().tolist() == [False, True]
    assert laid[1] == "편지"
