"""Draw the headline of a forecast: the chance of a rating or more, and the interval on a scale."""

from collections.abc import Iterator
from typing import Final

import streamlit as st

from ui.client.api import ApiError, Facts, fetch
from ui.client.predictions import Forecast, RatingHistogram
from ui.i18n.words import Words, fill
from ui.widgets import address, charts, notices
from ui.widgets.markdown import plain

DEFAULT_THRESHOLD: Final = 7.0
_WHOLE_THRESHOLDS: Final = frozenset({6.0, 7.0, 8.0})


def draw(words: Words, facts: Facts, forecast: Forecast) -> None:
    """Draw the chance, the expected rating, the interval and the picture.

    Args:
        words: The texts in the visitor's language.
        facts: The facts about the film, as sent to the API.
        forecast: The API's response.
    """
    with st.container(border=True):
        if forecast.chances:
            _chance(words, forecast)
        st.html(_figures(words, forecast))
        genre, ratings = _histogram(facts)
        st.vega_lite_chart(
            spec=charts.rating_scale(words, forecast, ratings),
            alt=_chart_text(words, forecast, genre, ratings),
        )
        notices.small_print(plain(_legend(words, forecast, genre, ratings)))
        notices.small_print(words("forecast.explained", **formatted(words, forecast)))


def formatted(words: Words, forecast: Forecast) -> dict[str, str]:
    """Return the numbers of a forecast as texts, for the placeholders of sentences."""
    points = ("rating", "low", "high", "average")
    shown = {name: words.number(getattr(forecast, name), "0.0") for name in points}
    return shown | {
        "in_ten": words.number(forecast.coverage * 10, "0.#"),
        "outside": words.number((1 - forecast.coverage) * 10, "0.#"),
    }


def whole_chances(words: Words, forecast: Forecast) -> Iterator[str]:
    """Yield the chances of 6, 7 and 8 or more as lines of text, where the forecast has them."""
    for rating, _ in forecast.chances:
        if rating in _WHOLE_THRESHOLDS:
            yield _chance_line(words, forecast, rating)


def in_short(words: Words, forecast: Forecast, rating: float) -> Iterator[str]:
    """Yield the interval, and the chance of a rating or more if the forecast has it, as texts."""
    yield words("forecast.interval", **formatted(words, forecast))
    if rating in dict(forecast.chances):
        yield _chance_line(words, forecast, rating)


def _chance_line(words: Words, forecast: Forecast, rating: float) -> str:
    label = words("forecast.chance", threshold=_shown(words, rating))
    return f"{label}: {words.percent(dict(forecast.chances)[rating])}"


def threshold(forecast: Forecast) -> float:
    """Return the rating whose chance the visitor wants to know.

    The result is one of the ratings whose chances are in the forecast, which must not be empty.
    """
    offered = [rating for rating, _ in forecast.chances]
    chosen = st.session_state.get("threshold", DEFAULT_THRESHOLD)
    return (
        chosen
        if chosen in offered
        else min(offered, key=lambda each: abs(each - DEFAULT_THRESHOLD))
    )


@st.fragment
def _chance(words: Words, forecast: Forecast) -> None:
    """Draw the chance, and a slider for its threshold.

    This is a Streamlit fragment: when the threshold moves, only this function runs again. The
    forecast has the chances of all thresholds, so no request is sent.
    """
    # Set before the slider is drawn: an earlier forecast may have offered other thresholds.
    st.session_state.threshold = threshold(forecast)
    above = st.container()
    chosen = st.select_slider(
        words("forecast.threshold"),
        [rating for rating, _ in forecast.chances],
        format_func=lambda rating: _shown(words, rating),
        key="threshold",
        on_change=address.write_threshold,
        persist_state="session",
    )
    values = {
        "label": words("forecast.chance", threshold=_shown(words, chosen)),
        "chance": words.percent(dict(forecast.chances)[chosen]),
    }
    above.html(fill("chance.html", values))


def _shown(words: Words, rating: float) -> str:
    return words.number(rating, "0.0#")


def _figures(words: Words, forecast: Forecast) -> str:
    """Return HTML that shows the interval, the expected rating, and the mood of the plot."""
    shown = formatted(words, forecast)
    label, _ = forecast.mood or ("unknown", None)
    values = {
        "interval": words("forecast.interval", **shown),
        "rating_label": words("forecast.rating_label"),
        "rating": shown["rating"],
        "out_of": words("forecast.out_of"),
        "average": words("forecast.average", **shown),
        "mood_label": words("forecast.mood_label"),
        "mood": words.name("moods", label),
        "reading": _reading(words, forecast),
        "translated": words("forecast.translated") if forecast.translated else "",
    }
    return fill("forecast.html", values)


def _reading(words: Words, forecast: Forecast) -> str:
    """Return the score of the plot's mood, or the reason why it is unknown."""
    if forecast.mood is not None:
        return words("forecast.score", score=words.points(forecast.mood[1]))
    if forecast.read_in_korean:
        return words("forecast.read_in_korean")
    was_sent = any(each.field == "overview" for each in forecast.ignored)
    return words("forecast.unread" if was_sent else "forecast.no_plot")


def _histogram(facts: Facts) -> tuple[str | None, RatingHistogram | None]:
    """Request a histogram of ratings from the API, for films with the film's main genre.

    If the API has no histogram for this genre, the histogram of all films is requested.

    Returns:
        The genre of the histogram (None for all films), and the histogram (None if the API cannot
        send one).
    """
    genres = facts.get("genres") or [None]
    for genre in dict.fromkeys((genres[0], None)):
        try:
            params = {"genre": genre} if genre else None
            return genre, fetch(RatingHistogram.parse, "/ratings", params=params)
        except ApiError:
            continue
    return None, None


def _chart_text(
    words: Words, forecast: Forecast, genre: str | None, ratings: RatingHistogram | None
) -> str:
    picture = words("forecast.picture", **formatted(words, forecast))
    return f"{picture} {_legend(words, forecast, genre, ratings)}"


def _legend(
    words: Words, forecast: Forecast, genre: str | None, ratings: RatingHistogram | None
) -> str:
    marks = words("picture.legend", **formatted(words, forecast))
    if ratings is None:
        return f"{marks} {words('picture.legend_alone')}"
    values = {
        "films": words.count("films", ratings.films),
        "mean": words.number(ratings.mean, "0.0"),
    }
    if genre is None:
        return f"{marks} {words('picture.legend_all', **values)}"
    name = words.name("genres", genre)
    return f"{marks} {words('picture.legend_genre', genre=name, **values)}"
