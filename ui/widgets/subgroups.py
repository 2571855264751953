"""The names of subgroups of films, such as all dramas, as the page shows them."""

from collections.abc import Iterable
from typing import Final

from ui.i18n.words import Words

_FROM: Final = "from "  # the API names a range of votes by its lowest number: `from 50`


def names_of(words: Words, kind: str, names: Iterable[str]) -> list[str]:
    """Return the names of all subgroups of one kind.

    Args:
        words: The texts of the page.
        kind: What the films of a subgroup have in common, such as `genre`.
        names: The API's names. A range of votes ends where the next one begins.
    """
    listed = list(names)
    if kind == "votes" and all(_lowest(name) is not None for name in listed):
        return _ranges(words, [int(name.removeprefix(_FROM)) for name in listed])
    if kind == "language":
        return [words.language(name) for name in listed]
    if kind == "genre":
        return [words.name("genres", name) for name in listed]
    return listed


def _lowest(name: str) -> int | None:
    digits = name.removeprefix(_FROM)
    return int(digits) if digits.isdecimal() else None


def _ranges(words: Words, lowest: list[int]) -> list[str]:
    def shown(low: int) -> str:
        following = min((each for each in lowest if each > low), default=None)
        if following is None:
            return words("slices.votes_from", low=words.number(low))
        ends = {"low": words.number(low), "high": words.number(following - 1)}
        return words("slices.votes_between", **ends)

    return list(map(shown, lowest))
