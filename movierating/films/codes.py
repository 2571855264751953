"""The two code tables of the old API contract: each genre and each language has a number.

Clients of `GET /v1/predict` store these numbers, so a code never changes its meaning.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

UNKNOWN_CODE = -1


@dataclass(frozen=True)
class CodeTable:
    """An append-only table in which a name's position is its code.

    Attributes:
        names: The names in the order of their codes; the first has code 0.
    """

    names: tuple[str, ...] = ()
    _codes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the lookup from name to code.

        Raises:
            ValueError: The table lists a name twice.
        """
        codes = {name: code for code, name in enumerate(self.names)}
        if len(codes) != len(self.names):
            raise ValueError("a code table lists each name once")
        object.__setattr__(self, "_codes", codes)  # a frozen class forbids `self._codes =`

    def code(self, name: str | None) -> int:
        """Return the code of a name; -1 if the name is unknown."""
        return self._codes.get(name, UNKNOWN_CODE) if name else UNKNOWN_CODE

    def name(self, code: int) -> str | None:
        """Return the name of a code; None for -1 and for codes that the table does not have."""
        return self.names[code] if 0 <= code < len(self.names) else None

    def extended(self, seen: Iterable[str | None]) -> Self:
        """Return a longer table: new names from `seen` are appended, the most frequent first.

        Names with the same frequency are in alphabetical order. None in `seen` is ignored.
        """
        counts = Counter(name for name in seen if name and name not in self._codes)
        ranked = sorted(counts, key=lambda name: (-counts[name], name))
        return type(self)((*self.names, *ranked))


@dataclass(frozen=True)
class Codes:
    """The genre and language code tables of one model version."""

    genres: CodeTable = CodeTable()
    languages: CodeTable = CodeTable()

    def to_json(self) -> dict[str, list[str]]:
        """Return the names of both tables as plain lists, for JSON."""
        return {"genres": list(self.genres.names), "languages": list(self.languages.names)}

    @classmethod
    def from_json(cls, raw: dict[str, list[str]]) -> Self:
        """Read the tables from the lists that `to_json` returns."""
        return cls(CodeTable(tuple(raw["genres"])), CodeTable(tuple(raw["languages"])))
