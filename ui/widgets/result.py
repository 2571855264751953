"""Draw the forecast for a film, with its reasons, similar films, and the errors of the model."""

from collections.abc import Callable, Iterator, Sequence

import streamlit as st

from ui.client.api import Facts
from ui.client.model import Model
from ui.client.predictions import Forecast
from ui.i18n.words import Words
from ui.widgets import charts, headline, notices, reliability, similar_films
from ui.widgets.markdown import plain


def draw(words: Words, facts: Facts, forecast: Forecast, *, with_posters: bool = False) -> None:
    """Draw the forecast for a film, its reasons, similar films, and facts about the model.

    Args:
        words: The texts in the visitor's language.
        facts: The facts about the film, as sent to the API.
        forecast: The API's response.
        with_posters: Whether to show the posters of similar films.
    """
    for line in remarks(words, forecast):
        st.warning(line, icon=":material/warning:")
    if changed := notices.changed_values(words, forecast):
        st.info(words("page.changed", values=plain("; ".join(changed))))
    headline.draw(words, facts, forecast)
    background = reliability.background_of(forecast)
    _reasons(words, forecast)
    _list(
        words("reliability.title"),
        reliability.track_record(words, facts, forecast, background),
        words("reliability.explained"),
    )
    _list(
        words("reliability.sharper"),
        reliability.sharper(words, forecast, background),
        words("reliability.measured"),
    )
    similar_films.draw(words, forecast, with_posters=with_posters)
    _list(words("basis.title"), basis(words, forecast, background.model))


def _list(title: str, lines: Sequence[str], note: str = "") -> None:
    """Draw a title, lines of Markdown, and a note in small letters. Without lines, draw nothing."""
    if not lines:
        return
    st.header(title, anchor=False)
    st.markdown("\n".join(f"- {line}" for line in lines))
    if note:
        notices.small_print(note)


def remarks(words: Words, forecast: Forecast, shown: Callable[[str], str] = plain) -> Iterator[str]:
    """Yield warnings as sentences, in Markdown.

    They name the values that the model did not use, the facts that are outside the range of the
    training films, and the kinds of films for which forecasts have not been reliable.

    Args:
        words: The texts in the visitor's language.
        forecast: The forecast.
        shown: Converts a name to the form in which it is shown.
    """
    for field, unused in notices.ignored_values(words, forecast).items():
        line = words("page.ignored", name=shown(unused))
        yield words.name("ignored", field, line)
    if forecast.warnings:
        names = [shown(words.name("fields", field)) for field in forecast.warnings]
        yield words("basis.unlike", names=words.joined(names))
    yield from reliability.weak_kinds(words, forecast, shown)


def basis(
    words: Words, forecast: Forecast, model: Model | None, shown: Callable[[str], str] = plain
) -> list[str]:
    """Return sentences about the model that made the forecast, in Markdown.

    They give its training films and its version.

    Args:
        words: The texts in the visitor's language.
        forecast: The forecast.
        model: The description of the model; None if it is not available.
        shown: Converts a name to the form in which it is shown.
    """
    lines = [words("basis.unavailable")]
    if model is not None:
        values = {
            "train_films": words.count("films", model.train_films),
            "split_date": words.day(model.split_date),
        }
        if model.known_until is None:
            lines = [words("basis.training", **values)]
        else:
            until = words.day(model.known_until)
            lines = [words("basis.training_again", until=until, **values)]
    if forecast.missing:
        names = [shown(words.name("fields", field)) for field in forecast.missing]
        lines.append(words("basis.missing", names=words.joined(names)))
    lines.append(words("basis.model", version=forecast.version.replace("`", "")))
    if model is not None and model.registry_away:
        lines.append(words("basis.registry_away"))
    return lines


def reasons(words: Words, forecast: Forecast) -> list[tuple[str, float]]:
    """Return the reasons for a forecast as pairs of a name and rating points.

    The name is that of a feature group, such as the genre. Reasons that would be shown as 0.00 are
    left out.
    """
    return [
        (words.name("groups", group), points)
        for group, points in forecast.reasons
        if abs(points) >= 0.005  # noqa: PLR2004 - half of the last digit shown
    ]


def in_words(words: Words, named: Sequence[tuple[str, float]]) -> Iterator[str]:
    """Yield a sentence about the facts that raise the forecast, and one about the others.

    Args:
        words: The texts in the visitor's language.
        named: The reasons, from `reasons`.
    """
    for key, sign in (("reasons.helps", 1), ("reasons.hurts", -1)):
        parts = [f"{name} {words.points(points)}" for name, points in named if sign * points > 0]
        if parts:
            yield words(key, names=words.joined(parts))


def _reasons(words: Words, forecast: Forecast) -> None:
    named = reasons(words, forecast)
    if not named:
        return
    st.header(words("reasons.title"), anchor=False)
    values = {
        "average": words.number(forecast.average, "0.0"),
        "rating": words.number(forecast.rating, "0.0"),
    }
    st.markdown(words("reasons.lead", **values))
    parts = [f"{name} {words.points(points)}" for name, points in named]
    st.vega_lite_chart(spec=charts.contributions(named), alt=words.joined(parts))
    for line in in_words(words, named):
        st.markdown(plain(line))
