"""Scenarios: variants of the film on the forecast page, with their forecasts.

A scenario is stored as what differs from the film, so it follows the film if the visitor changes
other facts about it. It ends with the film: another film has no scenarios.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from ui.client.api import ApiError, Facts
from ui.client.predictions import Forecast, forecast_of
from ui.client.visitor import consent_to_translation
from ui.i18n.words import Words
from ui.widgets import fields, form_state

MOST: Final = 4
_PARAMETER: Final = "scenario"  # of the address; one for each scenario
_MAX_CHARACTERS: Final = 5_000  # of such a parameter


@dataclass(frozen=True)
class Scenario:
    """A variant of a film.

    Attributes:
        changes: The facts that differ from those of the film; None for an unknown fact.
        facts: All facts of the variant.
        forecast: The forecast for the variant.
    """

    changes: Facts
    facts: Facts
    forecast: Forecast


def follow(film: Facts) -> None:
    """Keep the scenarios if `film` is still the same film; otherwise read those of its link."""
    state = st.session_state
    before = state.get("scenario_film")
    if before is None or (before != film and not _is_same(before, film)):
        linked = st.query_params.get_all(_PARAMETER)
        # If the address has what was written for the film before, it is not a link to this one.
        is_link = linked != state.get("scenario_link")
        state.scenario_changes = _read(film, linked) if is_link else []
        reset_editor()
    state.scenario_film = film
    _write_address()


def pinned(film: Facts, forecast: Forecast) -> tuple[list[Scenario], list[ApiError]]:
    """Return the film's scenarios, forecast by the model version that forecast the film.

    Scenarios that the service refuses are removed, and the errors are returned.
    """
    state = st.session_state
    known, state.scenario_forecasts = state.get("scenario_forecasts", {}), {}
    found, kept, errors = [], [], []
    for changes in state.scenario_changes:
        facts = applied(film, changes)
        different = differing(film, facts)
        if not different:
            continue  # the film itself has these facts by now
        key = _key(facts)
        answer = known.get(key)
        try:
            if answer is None or answer.version != forecast.version:
                answer = forecast_of(form_state.with_ids(facts))
        except ApiError as error:
            errors.append(error)
            if error.kind != "refused":
                kept.append(changes)
            continue
        state.scenario_forecasts[key] = answer
        kept.append(changes)
        found.append(Scenario(different, facts, answer))
    state.scenario_changes = kept
    _write_address()
    return found, errors


def pin(scenario: Scenario) -> None:
    """Add a scenario to those of the film, and empty the fields in which it was entered."""
    state = st.session_state
    state.scenario_changes.append(scenario.changes)
    state.scenario_forecasts[_key(scenario.facts)] = scenario.forecast
    reset_editor()


def unpin(changes: Facts) -> None:
    """Remove a scenario."""
    state = st.session_state
    state.scenario_changes = [each for each in state.scenario_changes if each != changes]


def reset_editor() -> None:
    """Empty the fields in which a scenario is entered: give them new keys in the session."""
    state = st.session_state
    state.scenario_editor = state.get("scenario_editor", 0) + 1


def editor_key(name: str) -> str:
    """Return the key of a field in which a scenario is entered."""
    return f"{form_state.SCENARIO_PREFIX}{st.session_state.scenario_editor}_{name}"


def applied(film: Facts, changes: Facts) -> Facts:
    """Return the facts of a film after some changes."""
    return {name: value for name, value in (film | changes).items() if value is not None}


def differing(film: Facts, facts: Facts) -> Facts:
    """Return the facts that differ from those of a film; None for a fact that is unknown now."""
    return {
        name: facts.get(name) for name in form_state.FIELDS if facts.get(name) != film.get(name)
    }


def differences(words: Words, film: Facts, scenario: Facts) -> list[str]:
    """Return one text for each fact of a scenario that differs from the film."""
    texts = []
    for field, value in differing(film, scenario).items():
        name = words.name("fields", field)
        old, new = (fields.shown(words, field, each) for each in (film.get(field), value))
        texts.append(
            words("scenarios.plot", name=name)
            if field == "overview"
            else words("scenarios.change", name=name, old=old, new=new)
        )
    return texts


def link_query(scenarios: Sequence[Scenario]) -> dict[str, list[str]]:
    """Return the parameters of a link that opens these scenarios; a plot is left out."""
    parameters = _parameters([each.changes for each in scenarios])
    return {_PARAMETER: parameters} if parameters else {}


def remember_film(film: Facts, scenarios: Sequence[Scenario]) -> None:
    """Remember of which film these are scenarios, so that the comparison can tell them apart."""
    films = st.session_state.setdefault("scenario_films", [])
    films.extend((each.facts, film) for each in scenarios)


def label(words: Words, facts: Facts) -> str:
    """Return what differs between a scenario in the comparison and its film; empty for a film."""
    for scenario, film in st.session_state.get("scenario_films", []):
        if scenario == facts:
            return "; ".join(differences(words, film, scenario))
    return ""


def _key(facts: Facts) -> str:
    return json.dumps([facts, consent_to_translation()], sort_keys=True)


def _parameters(changes: Sequence[Facts]) -> list[str]:
    public = [{name: each[name] for name in each if name != "overview"} for each in changes]
    return [json.dumps(each, ensure_ascii=False) for each in public if each]


def _write_address() -> None:
    state = st.session_state
    parameters = _parameters(state.scenario_changes)
    if parameters != st.query_params.get_all(_PARAMETER):
        if parameters:
            st.query_params[_PARAMETER] = parameters
        else:
            st.query_params.pop(_PARAMETER, None)
    state.scenario_link = parameters


def _read(film: Facts, parameters: Sequence[str]) -> list[Facts]:
    """Read scenarios from a link, which a person may have changed."""
    found: list[Facts] = []
    for text in parameters[:MOST]:
        changes: Any = None
        with suppress(ValueError, RecursionError):
            changes = json.loads(text[:_MAX_CHARACTERS])
        if isinstance(changes, dict):
            usable = form_state.cleaned(changes)
            known = {name: usable.get(name) for name in form_state.FIELDS if name in changes}
            different = differing(film, applied(film, known))
            if different and different not in found:
                found.append(different)
    return found


def _is_same(before: Facts, film: Facts) -> bool:
    """Return whether the facts are still about the same film, by its title or else its plot."""
    for name in ("title", "overview"):
        if before.get(name) and film.get(name):
            return bool(before[name] == film[name])
    return False
