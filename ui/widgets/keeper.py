"""Keep what a visitor has entered in the browser's tab, so that a reload loses nothing.

The server keeps nothing. The browser deletes it when the tab is closed (`sessionStorage`).
"""

import json
from secrets import token_hex
from typing import Any, Final

import streamlit as st

from ui.i18n.words import TEMPLATES
from ui.widgets import address, form_state

_MOST_CHARACTERS: Final = 1_000_000
_MOST_FILMS: Final = 100
_KEY: Final = "keeper"


def draw() -> None:
    """Give the browser what it keeps; get back what it has kept of an earlier session.

    Python cannot reach the browser's storage, so this is a component of Streamlit with a script.
    """
    state = st.session_state
    session = state.setdefault("keeper_session", token_hex(8))
    component = st.components.v2.component(
        _KEY, js=(TEMPLATES / "keeper.js").read_text("utf-8"), isolate_styles=False
    )
    component(
        key=_KEY,
        data={
            "session": session,
            "restored": "keeper_restored" in state,
            "kept": json.dumps(_kept(), ensure_ascii=False),  # a letter of Hangul counts once
        },
        on_kept_change=_restore,
    )


def _kept() -> dict[str, Any]:
    state = st.session_state
    facts = form_state.entered_facts()
    # The language alone was not typed: the form begins with the language of the page.
    return {
        "facts": facts if facts.keys() - {"language"} else {},
        "compared": list(state.get("compared", [])),
    }


def _restore() -> None:
    """Fill in the form and the comparison with what the browser has kept."""
    state = st.session_state
    kept = _parsed(state[_KEY].get("kept"))
    state.keeper_restored = True
    if not state.get("compared"):
        films = [form_state.cleaned(each) for each in kept.get("compared", [])[:_MOST_FILMS]]
        state.compared = [film for film in films if film]
    facts = form_state.cleaned(kept.get("facts"))
    address.remember_plot(facts)  # the page has perhaps not read its address yet
    asked = state.get("asked")
    if asked is not None and asked == {name: facts[name] for name in facts if name != "overview"}:
        # The address has all facts but the plot.
        form_state.put({"overview": facts.get("overview")})
        state.asked = state.written = facts
    elif asked is None and not form_state.entered_facts().keys() - {"language"} and facts:
        form_state.fill_in(facts)


def _parsed(text: Any) -> dict[str, Any]:
    """Read what the browser sent; the visitor may have changed it, so it may be anything."""
    try:
        kept: Any = json.loads(text) if len(text) <= _MOST_CHARACTERS else {}
    except (TypeError, ValueError, RecursionError):
        return {}
    if not isinstance(kept, dict) or not isinstance(kept.get("compared", []), list):
        return {}
    return kept
