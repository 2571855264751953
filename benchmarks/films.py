"""Measure the film catalogue: how long publishing takes, and how long a search takes.

1. Fill a film store with the films of a parquet file, and write the catalogue in a process of its
   own, as an Airflow task does.
2. Search for exact titles, parts of titles, two letters, and titles with a typing error.
3. Do the same in a catalogue with a million made films, whose titles mix the words of real titles.
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow.parquet as pq

from benchmarks.figures import report
from benchmarks.memory import Ran
from benchmarks.real_run import SHARED
from benchmarks.stored import columns
from movierating.catalogue.films import SCHEMA, FilmCatalogue
from movierating.catalogue.titles import index_text, title_key
from movierating.films.text import is_korean
from sandbox.state import ROOT
from scripts.store.film_store import FilmStore

PARSER: Final = argparse.ArgumentParser(prog="make bench-films", description=__doc__)
PARSER.add_argument("--catalogue", type=Path, default=SHARED, help="real films in parquet form")
PARSER.add_argument("--made", type=int, default=1_000_000, help="number of made films")
_DAY: Final = date(2022, 12, 31)
_SEARCHES: Final = 300  # of each kind
_BATCH: Final = 2_000
_LONG_TITLE: Final = 7  # letters; a shorter one with a typing error resembles too many others
_INSERT: Final = "INSERT INTO films VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_WRITE: Final = """
import sys
from datetime import date
from pathlib import Path
from scripts.catalogue.build import Recorded, write_catalogue
from scripts.store.film_store import FilmStore
target, folder, day = sys.argv[1:]
none = Recorded((), (), {}.get)
write_catalogue(Path(target), FilmStore(Path(folder)), none, date.fromisoformat(day), 50)
"""


def main() -> None:
    """Run the benchmark with the command-line options, and print the measured values."""
    options = PARSER.parse_args()
    with TemporaryDirectory() as folder:
        store, real = Path(folder, "films"), Path(folder, "real.sqlite")
        fill(FilmStore(store), options.catalogue)
        command = [sys.executable, "-c", _WRITE, str(real), str(store), _DAY.isoformat()]
        environment = os.environ | {"MALLOC_ARENA_MAX": "2"}  # as in the image
        ran = Ran.watch(subprocess.Popen(command, cwd=ROOT, env=environment))
        report(write_seconds=ran.seconds, write_peak_mb=ran.peak_mb, **measured(real))
        if options.made:
            made = Path(folder, "made.sqlite")
            multiply(real, made, options.made)
            report(**measured(made))


def fill(store: FilmStore, catalogue: Path) -> None:
    """Add the films of a parquet file to a film store, as TMDB would send them."""
    known: set[int] = set()
    for batch in pq.ParquetFile(catalogue).iter_batches(batch_size=_BATCH):
        rows = [row for row in batch.to_pylist() if row["id"] not in known and row["title"]]
        known |= {row["id"] for row in rows}
        store.add(columns(*map(_as_tmdb_sends, rows), day=_DAY))
    store.merge_written()


def multiply(real: Path, made: Path, count: int) -> None:
    """Write a catalogue of made films, with titles from the words of a real catalogue's titles."""
    pick = Random(1)  # noqa: S311 - no secret
    with closing(sqlite3.connect(real)) as source, closing(sqlite3.connect(made)) as target:
        target.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
        about = dict(source.execute("SELECT name, value FROM about")) | {"films": count}
        target.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        films = source.execute("SELECT * FROM films").fetchall()
        words = [word for film in films for word in film[2].split()]
        for number in range(1, count + 1):
            film = list(pick.choice(films))
            film[:3] = number, number, " ".join(pick.choices(words, k=pick.randint(1, 5)))
            target.execute(_INSERT, film)
            terms = index_text(filter(None, film[2:5]))
            target.execute("INSERT INTO titles (rowid, terms) VALUES (?, ?)", (number, terms))
        target.execute("INSERT INTO titles (titles) VALUES ('optimize')")
        target.commit()


def measured(path: Path) -> dict[str, Any]:
    """Measure searches of each kind: the median, the 95th percentile and the longest, in ms."""
    catalogue, pick = FilmCatalogue(path), Random(2)  # noqa: S311 - no secret
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT title, original_title FROM films ORDER BY film_id % 997")
        titles = [title for row in islice(rows, 3_000) for title in row if title]
    titles = [title for title in titles if len(title_key(title)) >= _LONG_TITLE]
    hangul = [title for title in titles if is_korean(title)]
    frequent = ["the", "a", "of", "love", "man", "s"]
    texts: dict[str, Iterable[str]] = {
        "title": titles,
        "part": (each[len(each) // 4 : len(each) // 4 + 5] for each in titles),
        "two_letters": (each[:2] for each in titles),
        "two_hangul": (pick.choice(hangul)[:2] for _ in titles),
        "typing_error": (_misspelt(each, pick) for each in titles),
        "frequent": frequent * (_SEARCHES // len(frequent)),
    }
    figures = {kind: _milliseconds(catalogue, found) for kind, found in texts.items()}
    return {"films": catalogue.about.films, "mb": round(path.stat().st_size / 1e6), **figures}


def _milliseconds(catalogue: FilmCatalogue, texts: Iterable[str]) -> list[float]:
    taken = []
    for text in islice(texts, _SEARCHES):
        start = time.perf_counter()
        catalogue.search(text, _DAY)
        taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    return [
        round(each, 1) for each in (statistics.median(taken), taken[-len(taken) // 20], taken[-1])
    ]


def _misspelt(title: str, pick: Random) -> str:
    place = pick.randrange(1, len(title) - 1)
    return title[:place] + title[place + 1 :]


def _as_tmdb_sends(row: dict[str, Any]) -> dict[str, Any]:
    copied = (
        "id",
        "imdb_id",
        "title",
        "original_title",
        "original_language",
        "overview",
        "tagline",
        "runtime",
        "status",
        "budget",
        "revenue",
        "popularity",
        "poster_path",
        "vote_average",
        "vote_count",
    )
    film = {name: row[name] for name in copied if row[name] is not None}
    names = [{"id": number, "name": name} for number, name in enumerate(row["genres"] or ())]
    companies = [{"id": 1, "name": name} for name in row["production_companies"] or ()]
    released = row["release_date"]
    return film | {
        "genres": names,
        "production_companies": companies,
        "release_date": str(released)[:10] if released else None,
    }


if __name__ == "__main__":
    main()
