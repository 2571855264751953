"""The texts of the page in each of its languages, and how these write numbers and names."""

import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

FOLDER: Final = Path(__file__).parent
TEMPLATES: Final = FOLDER / "templates"
LANGUAGES: Final = {"ko": "한국어", "en": "English"}
# TMDB's own codes that are no ISO 639-1.
TMDB_LANGUAGES: Final = {"cn": "yue", "xx": "zxx"}

Tables = dict[str, dict[str, str]]


class Words:
    """The texts of the page in one language."""

    def __init__(self, language: str) -> None:
        self.code = language
        self.locale = Locale(language)
        self._tables = _tables(language)

    def __call__(self, key: str, **values: str) -> str:
        """The text under `section.key`, its placeholders filled in."""
        section, name = key.split(".")
        return self._tables[section][name].format(**values)

    def section(self, section: str, **values: str) -> dict[str, str]:
        """All texts of a section, their placeholders filled in."""
        return {name: text.format(**values) for name, text in self._tables[section].items()}

    def name(self, section: str, name: str, otherwise: str | None = None) -> str:
        """What something of the API is called here; by its own name where nothing is known."""
        return self._tables[section].get(name, name if otherwise is None else otherwise)

    def language(self, code: str) -> str:
        """The name of a language by TMDB's code."""
        return str(self.locale.languages.get(TMDB_LANGUAGES.get(code, code), code))

    def country(self, code: str) -> str:
        """The name of a country by its ISO 3166-1 code."""
        return str(self.locale.territories.get(code, code))

    def month(self, number: int) -> str:
        """The name of a month."""
        return str(self.locale.months["stand-alone"]["wide"][number])

    def number(self, value: float, pattern: str = "#,##0") -> str:
        """A number in a pattern of Unicode's CLDR."""
        return str(format_decimal(value, pattern, locale=self.locale))

    def count(self, what: str, number: int) -> str:
        """So many of something of the section `counts`."""
        form = self.locale.plural_form(number)
        return self(f"counts.{what}_{form}", n=self.number(number))

    def points(self, value: float) -> str:
        """A difference in rating points, with its sign."""
        return self.number(value, "+0.00;−0.00")

    def percent(self, share: float) -> str:
        """A share in whole percent."""
        return str(format_percent(share, locale=self.locale))

    def day(self, day: date) -> str:
        """A date in full."""
        return str(format_date(day, "long", locale=self.locale))

    def moment(self, at: datetime) -> str:
        """A moment to the minute; Babel's own Korean would say AM where people say otherwise."""
        utc = at.astimezone(UTC)
        return f"{format_date(utc, 'medium', locale=self.locale)} {utc:%H:%M} UTC"

    def all_of(self, names: Iterable[str]) -> str:
        """Names in one phrase."""
        return str(format_list(list(names), locale=self.locale))


def own_words(language: str) -> dict[str, str]:
    """What Streamlit's widgets say in any of the page's languages, and how one of them says it."""
    here = Words(language)
    spoken = [Words(code) for code in LANGUAGES]
    originals = {original for words in spoken for original in words.section("streamlit")}
    return {
        said: here.name("streamlit", original)
        for original in originals
        for said in (original, *(words.name("streamlit", original) for words in spoken))
    }


@cache
def _tables(language: str) -> Tables:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))


def plain(text: str) -> str:
    """A text that Markdown shows as it is."""
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]()<>#+-.!|~$:&" else mark for mark in text)


def fill(template: str, values: dict[str, str]) -> str:
    """A template with values, any text, in place of its `$names`."""
    escaped = {name: escape(value) for name, value in values.items()}
    return Template((TEMPLATES / template).read_text("utf-8")).substitute(escaped)
