"""Describe a page before it is drawn, for its HTML document and for previews of links to it.

Programs that show such previews run no scripts, so they see only the document.
"""

from contextlib import suppress
from typing import Final

from ui.client.api import ApiError, fetch
from ui.client.films import FilmDetails, film_id_of
from ui.client.predictions import forecast_of
from ui.client.visitor import acting_for
from ui.i18n.choice import choose
from ui.i18n.words import Words
from ui.server.addresses import FILM, HIDDEN_PAGES, PAGES
from ui.server.documents import Preview, Visit
from ui.widgets import form_state, titles

_FORM: Final = PAGES[0]


def describe(visit: Visit) -> Preview:
    """Return the title of a page and the sentence about it.

    A link to the form is forecast without reasons and without its plot, which takes the API a
    thousandth of a second. Nothing is translated.
    """
    words = Words(choose(visit.first("lang"), visit.cookies.get("lang"), visit.accepted))
    page = visit.page or _FORM
    with acting_for(visit.address):
        # The server leads browsers from `/?film=7` to the film's page, but not every other program.
        if page in {_FORM, FILM} and (film_id := film_id_of(visit.first(FILM))):
            return _described_film(words, film_id)
        if page == _FORM:
            return _described_form(words, visit)
    name = page if page in (*PAGES, *HIDDEN_PAGES) else _FORM
    return Preview(words.code, words(f"pages.{name}"), words("page.lead"))


def _described_form(words: Words, visit: Visit) -> Preview:
    facts = form_state.cleaned(
        {
            name: values if name in form_state.LIST_FIELDS else values[0]
            for name, values in visit.query.items()
            if name in form_state.FIELDS and name != "overview"
        }
    )
    forecast = None
    if facts.get("genres"):
        with suppress(ApiError):  # the page itself will report the problem
            forecast = forecast_of(facts, {"explain": "false"})
    film = facts.get("title") if forecast else None
    return Preview(
        words.code, titles.title(words, film, forecast), titles.description(words, forecast)
    )


def _described_film(words: Words, film_id: int) -> Preview:
    """Describe the page of a film by its last recorded forecast."""
    try:
        details = fetch(FilmDetails.parse, f"/films/{film_id}")
    except ApiError:
        return Preview(words.code, words("pages.film"), words("page.lead"))
    last = details.forecasts[-1] if details.forecasts else None
    return Preview(
        words.code,
        titles.title(words, details.film.title(words.code), last),
        titles.description(words, last),
        details.film.poster,
    )
