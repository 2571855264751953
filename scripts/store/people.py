"""People at TMDB: their other names, and their photos. They are stored beside the film store."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from movierating.films.text import name_key, normalise
from movierating.model.other_names import OtherNames
from scripts.runtime.storage import DataPath, reading, write_bytes
from scripts.store.store_files import StoreCorruptError

# TMDB's volunteers enter other names freely. More or longer ones are a mistake.
MAX_OTHER_NAMES: Final = 40
_MAX_CHARACTERS: Final = 100
_FOLDER, _FILE = "people", "people.parquet"
_SCHEMA: Final = pa.schema(
    [
        ("id", pa.int64()),
        ("fetched_at", pa.timestamp("ms", "UTC")),  # by TMDB's clock
        ("name", pa.string()),
        ("other_names", pa.list_(pa.string())),
        ("profile_path", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person as TMDB describes them.

    Attributes:
        id: TMDB's id.
        fetched_at: When TMDB made the answer, by its clock.
        name: The name that TMDB shows; None if TMDB has no such person any more.
        other_names: TMDB's `also_known_as` and the original name, without those of the same key.
        profile_path: TMDB's path of the photo; None if there is none.
    """

    id: int
    fetched_at: datetime
    name: str | None = None
    other_names: tuple[str, ...] = ()
    profile_path: str | None = None

    @classmethod
    def of(cls, person: Mapping[str, Any], fetched_at: datetime) -> Self:
        """Read TMDB's answer to `/person/{id}`; a field of another type counts as absent."""
        name = _text(person.get("name"))
        listed = person.get("also_known_as")
        others = [person.get("original_name"), *(listed if isinstance(listed, list) else [])]
        return cls(
            id=person["id"],
            fetched_at=fetched_at,
            name=name,
            other_names=_distinct(name, others),
            profile_path=_text(person.get("profile_path")),
        )


class PeopleStore:
    """The people of a film store, in one file."""

    def __init__(self, folder: DataPath) -> None:
        """Use a folder below `folder`, which is that of the film store."""
        self._path = folder / _FOLDER / _FILE

    def read(self) -> dict[int, PersonRecord]:
        """Return all people, by id.

        Raises:
            StoreCorruptError: The file is damaged.
        """
        with reading(self._path):
            if not self._path.exists():
                return {}
            raw = self._path.read_bytes()
        try:
            rows = pq.read_table(pa.BufferReader(raw), schema=_SCHEMA).to_pylist()
        except (pa.ArrowException, OSError, ValueError):
            raise StoreCorruptError(self._path) from None
        people = (
            PersonRecord(**row | {"other_names": tuple(row["other_names"] or ())}) for row in rows
        )
        return {person.id: person for person in people}

    def write(self, people: Iterable[PersonRecord]) -> None:
        """Replace the file in one atomic step.

        Raises:
            DataFileError: The folder cannot be written.
        """
        rows = [asdict(person) for person in sorted(people, key=lambda each: each.id)]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), sink, compression="zstd")
        write_bytes(self._path, sink.getvalue().to_pybytes())

    def add(self, people: Iterable[PersonRecord]) -> None:
        """Add people to the file. Read the file again first: another process may have changed it.

        If a person has two records, the newer one stays. Raises the errors of `read` and `write`.
        """
        known = self.read()
        for person in people:
            stored = known.get(person.id, person)
            known[person.id] = max(stored, person, key=lambda each: each.fetched_at)
        self.write(known.values())

    def purge(self, before: datetime) -> dict[int, PersonRecord]:
        """Delete the records that were fetched before a time; return the others, by id.

        Raises the errors of `read` and `write`.
        """
        known = self.read()
        kept = {number: each for number, each in known.items() if each.fetched_at >= before}
        if len(kept) < len(known):
            self.write(kept.values())
        return kept

    def other_names(self) -> OtherNames:
        """Return the other names of all people. Raises the errors of `read`."""
        return OtherNames({person.id: person.other_names for person in self.read().values()})


def _distinct(name: str | None, others: Iterable[Any]) -> tuple[str, ...]:
    """Return the usable names that have another key than `name` and than each other."""
    keys = {name_key(name)} if name else set()
    kept = []
    for other in filter(None, map(_text, others)):
        key = name_key(other)
        if key not in keys and len(other) <= _MAX_CHARACTERS:
            keys.add(key)
            kept.append(other)
    return tuple(kept[:MAX_OTHER_NAMES])


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return normalise(value.encode("utf-8", "replace").decode()) or None  # half of an emoji
