"""Other names of people: in other scripts, in other orders and transliterations."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self

import numpy as np

_BETWEEN: Final = "\n"  # two names of one person; normalised names do not contain it


class OtherNames(Mapping[int, Sequence[str]]):
    """The names of people beside the one that TMDB shows, by TMDB's id."""

    def __init__(self, names: Mapping[int, Sequence[str]] | None = None) -> None:
        """Keep the names; people without another name are left out."""
        self._joined = {
            number: _BETWEEN.join(others) for number, others in (names or {}).items() if others
        }

    def __getitem__(self, number: int) -> Sequence[str]:
        """Return the other names of the person with this id."""
        return self._joined[number].split(_BETWEEN)

    def __iter__(self) -> Iterator[int]:
        """Iterate over the ids of people with other names."""
        return iter(self._joined)

    def __len__(self) -> int:
        """Return the number of people with other names."""
        return len(self._joined)

    def to_json(self) -> dict[str, Any]:
        """Return the names as a dictionary for JSON; the ids are in base64."""
        ids = np.asarray(list(self._joined), "<i8")
        return {"ids": b64encode(ids.tobytes()).decode(), "names": list(self._joined.values())}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the names from the dictionary that `to_json` writes.

        Raises:
            KeyError, TypeError, ValueError: The dictionary does not have the form that `to_json`
                writes.
        """
        ids = np.frombuffer(b64decode(raw["ids"]), "<i8").tolist()
        pairs = zip(ids, raw["names"], strict=True)
        return cls({number: joined.split(_BETWEEN) for number, joined in pairs})
