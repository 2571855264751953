"""The page that lists upcoming films with their forecasts."""

from html import escape

import streamlit as st

from ui.client.api import ApiError, fetch
from ui.client.forecasts import UpcomingFilm, UpcomingFilms
from ui.i18n.words import TEMPLATES, Words, fill
from ui.widgets import address, film_lines, notices

PER_PAGE = 20
_SORTINGS = ("release_date", "-rating", "rating", "-change", "change", "title")
_SHOWN_REASONS = 3


def main() -> None:
    """Draw the list of upcoming films, 20 at a time. The visitor can search and sort the list."""
    words = Words(st.session_state.ui)
    st.title(words("coming_soon.title"), anchor=False)
    st.markdown(words("coming_soon.lead"))
    address.bind("search", "coming_search", str, "")
    address.bind("sort", "coming_sort", _sorting, _SORTINGS[0])
    address.bind("page", "coming_page", address.page_number, 1)
    left, right = st.columns(2)
    search = left.text_input(words("coming_soon.search"), key="coming_search", max_chars=200)
    sort = right.selectbox(
        words("coming_soon.sort"),
        _SORTINGS,
        # The label for the sort order "-rating" has the key `by_most_rating` in the texts.
        format_func=lambda name: words(f"coming_soon.by_{name.replace('-', 'most_')}"),
        key="coming_sort",
    )
    # The field for the page number is drawn below the list, so read its value from the session.
    page = int(st.session_state.get("coming_page", 1))
    try:
        upcoming = _fetch(search, sort, page)
        if page > 1 and not upcoming.films:  # the search text has changed, so there are fewer pages
            st.session_state.coming_page = 1
            upcoming = _fetch(search, sort, 1)
    except ApiError as error:
        notices.show_error(words, error)
        st.button(words("page.retry"))
        return
    if upcoming.as_of is None or not upcoming.total:
        st.info(words("coming_soon.none" if upcoming.as_of else "coming_soon.not_yet"))
        return
    films = words.count("films", upcoming.total)
    notices.small_print(words("coming_soon.as_of", day=words.day(upcoming.as_of), films=films))
    items = "".join(f'<li class="film">{_item(words, film)}</li>' for film in upcoming.films)
    st.html(f'{(TEMPLATES / "films.html").read_text("utf-8")}<ul class="films">{items}</ul>')
    pages = -(-upcoming.total // PER_PAGE)
    if pages > 1:
        # The label says where the visitor is; the field goes to another page.
        place = {"page": words.number(min(page, pages)), "pages": words.number(pages)}
        st.number_input(words("coming_soon.page", **place), 1, pages, key="coming_page")
    st.markdown(words("coming_soon.feeds"))


def _sorting(name: str) -> str:
    """Return the name of an order in the address, or raise a ValueError."""
    return _SORTINGS[_SORTINGS.index(name)]


def _fetch(search: str, sort: str, page: int) -> UpcomingFilms:
    params = {
        "search": search,
        "sort": sort,
        "limit": str(PER_PAGE),
        "offset": str((page - 1) * PER_PAGE),
    }
    return fetch(UpcomingFilms.parse, "/forecasts", params=params)


def _item(words: Words, film: UpcomingFilm) -> str:
    poster = ""
    # Load images from TMDB only: any other server would learn the visitor's network address.
    if film.poster and film.poster.startswith("https://image.tmdb.org/"):
        poster = f'<img src="{escape(film.poster)}" alt="" loading="lazy">'
    return f"{poster}<div>{fill('film.html', _texts(words, film))}</div>"


def _texts(words: Words, film: UpcomingFilm) -> dict[str, str]:
    when = [
        words.day(film.release_date),
        words.name("genres", film.genre) if film.genre else "",
        words.language(film.language) if film.language else "",
    ]
    reasons = [
        f"{words.name('groups', group)} {words.points(points)}"
        for group, points in film.reasons[:_SHOWN_REASONS]
    ]
    return {
        "address": film_lines.address(words, film.film_id),
        "title": film.title(words.code) or words("coming_soon.untitled"),
        "when": " · ".join(filter(None, when)),
        "rating": words.number(film.rating, "0.0"),
        "interval": words(
            "coming_soon.interval",
            low=words.number(film.low, "0.0"),
            high=words.number(film.high, "0.0"),
        ),
        "change": words("coming_soon.new")
        if film.change is None
        else words("coming_soon.change", points=words.points(film.change)),
        "reasons": words.joined(reasons),
    }


if __name__ == "__main__":
    main()
