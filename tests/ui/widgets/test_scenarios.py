import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from scripts.parameters import FEATURE_FILM_MINUTES
from tests.support.app_test import click, error_of, key_of, open_app, run, submit, visible_text
from tests.support.stub_api import FORECAST, UNRELIABLE, StubApi
from ui.client import predictions
from ui.widgets import scenarios
from ui.widgets.form_state import FIELDS

FILM: dict[str, Any] = {"title": "Two Spoons", "genres": ["Drama"], "language": "ko"}
UNUSUAL = {"warnings": [{"field": "runtime", "reason": "unusual"}]}

pytestmark = pytest.mark.usefixtures("api")


def film(**facts: Any) -> AppTest:
    """Open the page in English, and forecast a film of 98 minutes."""
    return open_app("en", **FILM, runtime="98", **facts)


def enter(page: AppTest, **changes: Any) -> AppTest:
    """Enter a scenario, and pin it."""
    number = page.session_state["scenario_editor"]
    page.multiselect(key=f"if_{number}_fields").set_value(list(changes))
    run(page)
    for field, value in changes.items():
        for kind in (
            page.number_input,
            page.multiselect,
            page.selectbox,
            page.text_input,
            page.text_area,
        ):
            found = [each for each in kind if each.key == f"if_{number}_{field}"]
            for each in found:
                each.set_value(value)
    return click(page, "Pin and compare")


def scenarios_on(page: AppTest) -> list[str]:
    return [each.label for each in page.metric if each.label.startswith("Scenario")]


def test_scenario_stands_beside_the_film_with_what_differs(api: StubApi):
    page = film()
    api.responses["/predict"] = 200, FORECAST | {"rating": 6.54, "reliability": [UNRELIABLE]}
    page = enter(page, runtime=150.0)
    assert api.bodies[-1]["runtime"] == 98  # the film itself, for the whole page
    assert FILM | {"runtime": 150} in api.bodies
    current, scenario = page.metric
    assert (current.label, scenario.label) == ("Current", "Scenario 1")
    assert scenario.value == "6.54"
    text = visible_text(page)
    assert "running time: 98 min → 150 min" in text
    assert text.count("8 in 10 such films land between 5.9 and 7.7") == 3  # and in the headline
    assert text.count("Chance of 7.0 or more: 41%") == 2
    assert text.count("Treat with care.** Original language Korean (61 films)") == 3


def test_every_fact_can_change():
    page = film()
    fields = page.multiselect(key="if_1_fields")
    assert len(fields.options) == len(FIELDS)
    fields.set_value(list(FIELDS))
    assert not run(page).error


def test_genres_are_added_to_those_of_the_film_and_a_fact_can_become_unknown(api: StubApi):
    page = film()
    page.multiselect(key="if_1_fields").set_value(["genres"])
    assert run(page).multiselect(key="if_1_genres").value == ["Drama"]
    page = enter(page, genres=["Drama", "Puppetry"], language="")
    assert {"title": "Two Spoons", "genres": ["Drama", "Puppetry"], "runtime": 98} in api.bodies
    text = visible_text(page)
    assert "genre: Drama → Drama, Puppetry" in text
    assert "language: Korean → Unknown" in text


def test_up_to_four_scenarios_are_pinned_and_one_can_be_removed():
    page = film()
    for minutes in (90.0, 100.0, 110.0, 120.0):
        page = enter(page, runtime=minutes)
    assert len(scenarios_on(page)) == scenarios.MOST == 4
    assert "Remove one to pin another" in visible_text(page)
    page = click(page, "Remove scenario 2")
    assert len(scenarios_on(page)) == 3
    assert "98 min → 100 min" not in visible_text(page)


def test_link_says_that_it_has_no_plots_of_scenarios():
    page = enter(film(), overview="A secret other plot")
    assert len(scenarios_on(page)) == 1
    assert "does not contain the plots of scenarios" in visible_text(page)
    assert "secret" not in "".join(code.value for code in page.code)


def test_scenario_without_a_difference_is_not_pinned():
    page = enter(film(), runtime=98.0)
    assert not scenarios_on(page)
    assert "Enter what changes" in page.info[0].value


@pytest.mark.parametrize("minutes", [1, 600])
def test_running_time_of_no_feature_film_is_refused_as_in_the_form(api: StubApi, minutes: int):
    api.responses["/predict"] = 200, FORECAST | UNUSUAL
    page = enter(film(), runtime=float(minutes))
    assert "did not accept" in error_of(page)
    assert "40 to 400 minutes" in visible_text(page)
    assert not scenarios_on(page)
    page = submit(open_app("en", genres=["Drama"], runtime=str(minutes)))
    assert "did not accept" in error_of(page)
    assert "40 to 400 minutes" in visible_text(page)


def test_unusual_feature_film_is_forecast_with_a_warning(api: StubApi):
    api.responses["/predict"] = 200, FORECAST | UNUSUAL
    page = enter(film(), runtime=280.0)
    assert len(scenarios_on(page)) == 1
    assert visible_text(page).count("treat with care: running time") == 3


def test_page_and_pipeline_agree_on_the_shortest_feature_film():
    assert predictions.FEATURE_FILM_MINUTES[0] == FEATURE_FILM_MINUTES[0]


def test_scenarios_follow_the_film_and_end_with_it(api: StubApi):
    page = enter(film(), runtime=200.0)
    page.session_state[key_of(page, "budget")] = 5e6  # another fact about the same film
    page = submit(page)
    assert FILM | {"runtime": 200, "budget": 5_000_000} in api.bodies
    assert len(scenarios_on(page)) == 1
    page.session_state[key_of(page, "title")] = "Shaft Nine"
    page = submit(page)
    assert not scenarios_on(page)
    assert page.multiselect(key=f"if_{page.session_state['scenario_editor']}_fields").value == []
    assert "scenario" not in page.query_params


def test_link_opens_the_scenarios_without_the_plot_of_one():
    page = enter(film(overview="A cook falls in love."), runtime=150.0)
    page = enter(page, genres=["Puppetry"])
    (code,) = page.code
    linked = parse_qs(urlsplit(code.value).query)
    assert [json.loads(each) for each in linked["scenario"]] == [
        {"runtime": 150},
        {"genres": ["Puppetry"]},
    ]
    assert page.query_params["scenario"] == linked["scenario"]
    other = submit(open_app("en", **linked))
    assert len(scenarios_on(other)) == 2
    assert "genre: Drama → Puppetry" in visible_text(other)


@pytest.mark.parametrize(
    "scenario",
    ["", "nonsense", "[]", "3", '{"runtime": "long"', '{"soundtrack": 1}', '{"runtime": 98}'],
)
def test_unusable_scenario_in_a_link_is_left_out(scenario: str):
    page = film(scenario=scenario)
    assert not page.error
    assert not scenarios_on(page)


def test_scenario_that_the_service_refuses_is_removed_from_a_link(api: StubApi):
    api.responses["/predict"] = 200, FORECAST | UNUSUAL
    page = film(scenario=['{"runtime": 600}', '{"runtime": 120}'])
    assert len(scenarios_on(page)) == 1
    assert "could not be forecast" in page.warning[-1].value
    assert not run(page).error


def test_scenarios_go_into_the_comparison_and_are_told_apart():
    page = click(enter(film(), runtime=150.0), "Add to the comparison")
    assert page.session_state["compared"] == [
        FILM | {"runtime": 98},
        FILM | {"runtime": 150},
    ]
    page.switch_page("ui/pages/compare.py")
    assert "Two Spoons (running time: 98 min → 150 min)" in visible_text(run(page))


def test_model_that_was_swapped_forecasts_the_scenarios_again(api: StubApi):
    page = enter(film(), runtime=150.0)
    requests = len(api.bodies)
    page = submit(page)
    assert len(api.bodies) == requests + 1  # only the film
    api.responses["/predict"] = 200, FORECAST | {"version": "2026-11-24-cd34", "rating": 4.2}
    page = submit(page)
    assert [each.value for each in page.metric] == ["4.20", "4.20"]
