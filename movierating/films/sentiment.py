"""Compute the sentiment of an English text with TextBlob's lexicon and rules.

TextBlob itself needs 10 to 90 ms for a text of 10,000 characters: it reads its lexicon through a
wrapper, and compares many tokens with a list of all emoticons. Its import takes a second and 45 MB.
This module takes TextBlob's tables, and follows the same rules in the same order. So the numbers
are exactly the same, in a fraction of the time. The tests compare both.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from re import Pattern
from types import ModuleType
from typing import Any, Final

_QUOTES: Final = "“”‘’'\""
_PARAGRAPH: Final = "\n\n"
_SENTENCE_ENDS: Final = frozenset({"...", ".", "!", "?"})
_AFTER_SENTENCE_ENDS: Final = _SENTENCE_ENDS | {"”", "’", ")"}
_LONGEST_EMOTICON: Final = 5
_ADVERB: Final = "RB"  # TextBlob's part of speech
_IRONY: Final = "(!)"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A word of the lexicon: its scores, and whether it modifies the next word, as `very` does."""

    polarity: float
    subjectivity: float
    intensity: float
    modifies: bool


@dataclass(slots=True)
class _Assessment:
    """The scores of one word of a text; neighbouring words have changed them."""

    polarity: float
    subjectivity: float
    intensity: float = 1.0
    negated: bool = False


@dataclass(frozen=True)
class _Tables:
    """TextBlob's tables.

    Attributes:
        lexicon: Words with their scores.
        negations: Words such as `not`.
        emoticons: The polarity of emoticons that have no letters only, in lower case.
        replacements: Contractions, and what takes their place.
        punctuation: Marks that are cut from both ends of a word; the period is not one of them.
        abbreviations: Abbreviations, which keep their period.
        abbreviation_forms: The forms of other abbreviations.
        paragraph: The token that takes the place of empty lines.
        emoticon: An emoticon whose characters may have spaces between them.
        irony: An exclamation mark in parentheses, with or without spaces.
    """

    lexicon: Mapping[str, _Entry]
    negations: frozenset[str]
    emoticons: Mapping[str, float]
    replacements: Mapping[str, str]
    punctuation: frozenset[str]
    abbreviations: frozenset[str]
    abbreviation_forms: tuple[Pattern[str], ...]
    paragraph: str
    emoticon: Pattern[str]
    irony: Pattern[str]


def sentiment(text: str) -> tuple[float, float]:
    """Return the polarity (-1 to 1) and the subjectivity (0 to 1) of an English text.

    Both are means over the words that are in the lexicon. Without such a word, both are 0.
    """
    tables = _tables()
    found = _assess(_words(text, tables), tables)
    polarity = subjectivity = 0.0
    for each in found:  # not `sum`, which rounds in another way from Python 3.12
        polarity += each.polarity * -0.5 if each.negated else each.polarity
        subjectivity += each.subjectivity
    count = len(found) or 1
    return polarity / count, subjectivity / count


def _words(text: str, tables: _Tables) -> list[str]:
    """Split a text into words, punctuation marks and emoticons, in lower case."""
    tokens = _tokens(text, tables)
    joined = " ".join(token for token in tokens if token != tables.paragraph)
    # Few texts have emoticons. Only in these it matters where a sentence ends.
    if tables.irony.search(joined) or tables.emoticon.search(joined):
        joined = tables.irony.sub(_IRONY, " ".join(_in_sentences(tokens, tables.paragraph)))
        joined = tables.emoticon.sub(lambda it: it[1].replace(" ", "") + it[2], joined)
    return joined.lower().split()


def _in_sentences(tokens: Iterable[str], paragraph: str) -> Iterator[str]:
    """Yield the tokens, and a newline after each sentence; leave out tokens for empty lines."""
    has_ended = False
    for token in tokens:
        if has_ended and token != paragraph and token not in _AFTER_SENTENCE_ENDS:
            yield "\n"
            has_ended = False
        has_ended = has_ended or token == paragraph or token in _SENTENCE_ENDS
        if token != paragraph:
            yield token


def _tokens(text: str, tables: _Tables) -> list[str]:
    """Split a text at spaces, and cut punctuation marks off the words."""
    for contraction, replacement in tables.replacements.items():
        text = text.replace(contraction, replacement)
    for quote in _QUOTES:
        text = text.replace(quote, f" {quote} ")
    text = text.replace("\r\n", "\n").replace(_PARAGRAPH, f" {tables.paragraph} ")
    tokens: list[str] = []
    known: dict[str, list[str]] = {}  # many parts occur again and again
    for part in text.split():
        if len(part) == 1 or (part[0].isalnum() and part[-1].isalnum()):
            tokens.append(part)
            continue
        if part not in known:
            known[part] = _cut(part, tables)
        tokens += known[part]
    return tokens


def _cut(part: str, tables: _Tables) -> list[str]:
    """Cut the punctuation marks off both ends of a word, and return the marks and the word."""
    marks, tail = tables.punctuation, []
    start, end = 0, len(part)
    while start < end and part[start] in marks:
        start += 1
    while end > start and (part[end - 1] == "." or part[end - 1] in marks):
        if part[end - 1] in marks:
            end -= 1
            tail.append(part[end])
        if part.endswith("...", start, end):
            tail.append("...")
            end = start + len(part[start : end - 3].rstrip("."))
        if part.endswith(".", start, end):
            if _is_abbreviation(part[start:end], tables):
                break
            end -= 1
            tail.append(".")
    return [*part[:start], *([part[start:end]] if end > start else []), *reversed(tail)]


def _is_abbreviation(word: str, tables: _Tables) -> bool:
    """Return whether a word that ends in a period is an abbreviation."""
    # All other words are no abbreviation. Reading each of them to its end would take seconds for a
    # long word with many periods.
    is_candidate = word[-2:-1].isalpha() or word.find(".") == len(word) - 1
    return is_candidate and (
        word in tables.abbreviations or any(form.match(word) for form in tables.abbreviation_forms)
    )


def _assess(words: Iterable[str], tables: _Tables) -> list[_Assessment]:
    """Assess the words of a text that are in the lexicon, and emoticons.

    This function is long because it applies TextBlob's rules in TextBlob's order.
    """
    lexicon, negations, emoticons = tables.lexicon, tables.negations, tables.emoticons
    found: list[_Assessment] = []
    modifier = negation = ""  # the word before, or further before if short words follow
    for word in words:
        entry = lexicon.get(word)
        if entry is not None:
            if modifier:
                last = found[-1]
                last.polarity = _within_1(entry.polarity * last.intensity)
                last.subjectivity = _within_1(entry.subjectivity * last.intensity)
                last.intensity = entry.intensity
            else:
                last = _Assessment(entry.polarity, entry.subjectivity, entry.intensity)
                found.append(last)
            if negation:
                last.intensity = 1.0 / last.intensity
                last.negated = True
            modifier = word if entry.modifies else ""
            negation = word if word in negations else ""
            continue
        if word in negations:
            negation = word
        elif negation and len(word.strip("'")) > 1:
            negation = ""
        if negation and modifier.endswith("ly"):
            found[-1].negated = True
            negation = ""
        elif modifier and len(word) > 2:  # noqa: PLR2004 - as in "really is a good"
            modifier = ""
        if word == "!" and found:
            found[-1].polarity = _within_1(found[-1].polarity * 1.25)
        elif word == _IRONY:
            found.append(_Assessment(0.0, 1.0))
        elif word in emoticons:
            found.append(_Assessment(emoticons[word], 1.0))
    return found


def _within_1(score: float) -> float:
    return max(-1.0, min(score, +1.0))


@cache
def _tables() -> _Tables:
    with _without_package_code("textblob"):
        from textblob import _text
        from textblob.en import sentiment as textblobs
    len(textblobs)  # loads its lexicon
    punctuation: str = _text.PUNCTUATION
    return _Tables(
        lexicon={word: _entry(scores) for word, scores in textblobs.items()},
        negations=frozenset(textblobs.negations),
        emoticons=_emoticons(_text.EMOTICONS, punctuation),
        replacements=_text.replacements,
        punctuation=frozenset(punctuation) - {"."},
        abbreviations=frozenset(_text.ABBREVIATIONS),
        abbreviation_forms=(_text.RE_ABBR1, _text.RE_ABBR2, _text.RE_ABBR3),
        paragraph=_text.EOS,
        emoticon=_text.RE_EMOTICONS,
        irony=_text.RE_SARCASM,
    )


def _entry(scores: Mapping[str | None, Any]) -> _Entry:
    # The mean over all parts of speech has the key None: no text is tagged here.
    polarity, subjectivity, intensity = scores[None]
    return _Entry(polarity, subjectivity, intensity, _ADVERB in scores)


def _emoticons(
    moods: Mapping[tuple[str, float], Iterable[str]], punctuation: str
) -> dict[str, float]:
    polarities: dict[str, float] = {}
    for (_, polarity), emoticons in moods.items():
        for each in emoticons:
            if not each.isalpha() and len(each) <= _LONGEST_EMOTICON and each not in punctuation:
                polarities.setdefault(each.lower(), polarity)
    return polarities


@contextmanager
def _without_package_code(name: str) -> Iterator[None]:
    """Import modules of a package inside the `with` block without the code of the package itself.

    That of TextBlob would import NLTK, which needs most of the time and memory.
    """
    mine = _loaded_modules(name)
    loaded = {each: sys.modules.pop(each) for each in mine}
    spec = find_spec(name)
    package = ModuleType(name)
    package.__path__ = list((spec and spec.submodule_search_locations) or [])
    sys.modules[name] = package
    try:
        yield
    finally:
        for each in _loaded_modules(name):
            del sys.modules[each]
        sys.modules.update(loaded)


def _loaded_modules(package: str) -> list[str]:
    """List the imported modules of a package; meanwhile, other threads may import modules."""
    return [each for each in list(sys.modules) if each.partition(".")[0] == package]
