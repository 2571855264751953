"""Find the row of a token in a table of one trait: words by their spelling, people by id or name.

A trait is a kind of fact, such as `director`; a token is one value of it, such as one director.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from movierating.films.film import Entity, Named, name_of
from movierating.films.spellings import loose_key, loose_keys
from movierating.films.text import name_key

Ids = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]

NO_ID: Final = 0  # of a name whose id is unknown
_NOBODY: Final[Mapping[int, Sequence[str]]] = {}
_END: Final = b"\n"  # of a text in a `_TextList`; normalised names do not contain it


class TokenIndex(Protocol):
    """The tokens of one trait, each in its row."""

    def find(self, token: Named) -> int | None:
        """Return the row of a token; None if it is not in the table."""

    def __iter__(self) -> Iterator[Named]:
        """Iterate over the tokens, in the order of the rows."""

    def __len__(self) -> int:
        """Return the number of rows."""


class WordIndex:
    """Tokens that are found only as they are spelled, such as genres and words of the plot."""

    def __init__(self, words: Iterable[str]) -> None:
        """Number the words.

        Raises:
            ValueError: A word is listed twice.
        """
        listed = list(words)
        self._rows = {word: row for row, word in enumerate(listed)}
        if len(self._rows) < len(listed):
            raise ValueError("a table lists each token once")

    def find(self, token: Named) -> int | None:
        """Return the row of a word; None if it is not in the table."""
        return self._rows.get(name_of(token))

    def __iter__(self) -> Iterator[str]:
        """Iterate over the words, in the order of the rows."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self._rows)


class NameIndex:
    """People, companies, collections or keywords, found by TMDB's id or by name.

    A name is found in any spelling that has the same key (`movierating.films.text.name_key`). If
    several bear it, the first row is meant. So the rows with the most films come first. People are
    also found by their other names, but only if nobody has this name as the first one: TMDB's
    volunteers enter other names, and some of them belong to somebody else.

    Everything is in arrays and in two long texts. A Python object for each name would need ten
    times the memory, and the service has a few hundred thousand names.

    Attributes:
        ids: TMDB's id of each row, `NO_ID` where only the name is known; shape (rows,).
    """

    def __init__(
        self, listed: Iterable[Named], others: Mapping[int, Sequence[str]] = _NOBODY
    ) -> None:
        """Number people, companies, collections or keywords.

        Args:
            listed: All of them; their rows have the same order.
            others: By id, the other names of people.

        Raises:
            ValueError: Two of them have the same id, or the same name and no id.
        """
        entities = list(listed)
        keys = [name_key(name_of(each)) for each in entities]
        ids = [each.id if isinstance(each, Entity) else NO_ID for each in entities]
        self.ids: Ids = np.asarray(ids, np.int64)
        self._names = _TextList(map(name_of, entities))
        self._by_id = _SortedRows(self.ids)
        added = list(_other_keys(entities, keys, others))
        every = [*keys, *(key for key, _ in added)]
        self._keys = _TextList(every)
        self._key_rows: Rows = np.asarray([*range(len(keys)), *(row for _, row in added)], np.int32)
        self._by_key = _hashed(every)
        loose = list(_loose_keys(entities, others))
        self._by_loose_key = _hashed(key for key, _ in loose)
        self._loose_rows: Rows = np.asarray([row for _, row in loose], np.int32)
        known = self.ids[self.ids != NO_ID]
        nameless = Counter(key for key, number in zip(keys, ids, strict=True) if number == NO_ID)
        if len(np.unique(known)) < len(known) or max(nameless.values(), default=0) > 1:
            raise ValueError("a table lists each token once")

    def find(self, token: Named) -> int | None:
        """Return the row of somebody; None if the table does not have it.

        An id that the table does not have is looked up by its name only among rows without an id.
        Otherwise it is somebody else of the same name.
        """
        if not isinstance(token, Entity):
            return next(iter(self.bearing(token)), None)
        rows = self._by_id.find(token.id)
        if rows:
            return rows[0]
        row = next(iter(self.bearing(token.name)), None)
        return row if row is not None and self.ids[row] == NO_ID else None

    def bearing(self, name: str) -> list[int]:
        """Return the rows of all who bear a name, those with the most films first.

        Who has it as an other name follows. If nobody has the name, it may be that of a Korean,
        Japanese or Chinese person in another order, or joined.
        """
        key = name_key(name)
        at = [each for each in self._by_key.find(hash(key)) if self._keys[each] == key]
        rows = [int(self._key_rows[each]) for each in at] or [
            int(self._loose_rows[each]) for each in self._by_loose_key.find(hash(loose_key(name)))
        ]
        return list(dict.fromkeys(rows))

    def containing(self, letters: str) -> Iterator[tuple[str, int]]:
        """Yield the keys that contain the key of these letters, with their rows."""
        if wanted := name_key(letters):
            for key, at in self._keys.containing(wanted):
                yield key, int(self._key_rows[at])

    def entity(self, row: int) -> Named:
        """Return who is in a row: an entity, or a name if the id is unknown."""
        name, number = self._names[row], int(self.ids[row])
        return name if number == NO_ID else Entity(number, name)

    def name(self, row: int) -> str:
        """Return the name in a row."""
        return self._names[row]

    def __iter__(self) -> Iterator[Named]:
        """Iterate over all, in the order of the rows."""
        return map(self.entity, range(len(self)))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)


def _other_keys(
    entities: Sequence[Named], keys: Sequence[str], others: Mapping[int, Sequence[str]]
) -> Iterator[tuple[str, int]]:
    """Yield the keys of other names, with the rows."""
    for row, each in enumerate(entities):
        if isinstance(each, Entity) and each.id in others:
            for key in set(map(name_key, others[each.id])) - {keys[row]}:
                yield key, row


def _loose_keys(
    entities: Sequence[Named], others: Mapping[int, Sequence[str]]
) -> Iterator[tuple[str, int]]:
    """Yield the keys of Korean, Japanese and Chinese people's names in any order, with the rows."""
    for row, each in enumerate(entities):
        if isinstance(each, Entity):
            for key in loose_keys([each.name, *others.get(each.id, ())]):
                yield key, row


def _hashed(keys: Iterable[str]) -> "_SortedRows":
    # Python's own hashes are the same only within one process, which is enough here.
    return _SortedRows(np.asarray([hash(key) for key in keys], np.int64))


class _TextList:
    """Short texts, joined into one."""

    def __init__(self, texts: Iterable[str]) -> None:
        encoded = [text.encode() for text in texts]
        self._joined = _END.join([*encoded, b""])
        lengths = [len(text) + len(_END) for text in encoded]
        self._starts = np.cumsum([0, *lengths]).astype(np.int32)

    def __getitem__(self, at: int) -> str:
        """Return the text at a position."""
        start, end = self._starts[at], self._starts[at + 1] - len(_END)
        return self._joined[start:end].decode()

    def containing(self, part: str) -> Iterator[tuple[str, int]]:
        """Yield the texts that contain a part, with their positions."""
        wanted = part.encode()
        if wanted not in self._joined:
            return
        # One pass over all texts takes a few milliseconds, even if most of them contain the part.
        for at, text in enumerate(self._joined.split(_END)):
            if wanted in text:
                yield text.decode(), at


class _SortedRows:
    """Rows by a number that several of them may have."""

    def __init__(self, numbers: npt.NDArray[np.integer]) -> None:
        order = np.argsort(numbers, kind="stable")
        self._numbers, self._rows = numbers[order], order.astype(np.int32)

    def find(self, number: int) -> list[int]:
        """Return the rows that have this number, in their order."""
        first = int(np.searchsorted(self._numbers, number))
        rows = []
        while first < len(self._numbers) and self._numbers[first] == number:
            rows.append(int(self._rows[first]))
            first += 1
        return rows
