"""The titles of pages about one film, which browsers, bookmarks and previews of links show."""

from typing import Final, Protocol

import streamlit as st

from ui.i18n.words import Words

_MOST_CHARACTERS: Final = 100


class Figures(Protocol):
    """A forecast: the expected rating, and the ends of its interval."""

    @property
    def rating(self) -> float:
        """The expected rating."""

    @property
    def low(self) -> float:
        """The lower end of the interval."""

    @property
    def high(self) -> float:
        """The upper end of the interval."""


def title(words: Words, film: str | None, figures: Figures | None) -> str:
    """Return the title of a page about a film: the film's title, the forecast and its interval.

    Args:
        words: The texts in the visitor's language.
        film: The film's title; None if it is unknown.
        figures: The forecast; None if there is none.
    """
    name = " ".join((film or words("page.title")).split())[:_MOST_CHARACTERS]
    return words("preview.title", film=name, **_shown(words, figures)) if figures else name


def description(words: Words, figures: Figures | None) -> str:
    """Return the sentence below the title in a preview of a link."""
    if figures is None:
        return words("page.lead")
    return words("preview.description", **_shown(words, figures))


def show(words: Words, film: str | None, figures: Figures | None) -> None:
    """Set the title of the present page."""
    st.set_page_config(page_title=title(words, film, figures))


def _shown(words: Words, figures: Figures) -> dict[str, str]:
    return {name: words.number(getattr(figures, name), "0.0") for name in ("rating", "low", "high")}
