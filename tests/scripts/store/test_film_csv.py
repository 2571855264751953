import csv
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from scripts.store.film_csv import write_films

# The texts have no NUL character: TMDB never sends it, and Python's CSV parser stops at it.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
texts |= st.sampled_from(["a\rb", "a\r\nb", "\n", '"', ",", "NA", "null", "\u2028", " \t"])


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_any_text_is_read_as_it_was_written(plots: list[tuple[str, str]]):
    films = [
        {"id": number, "title": title, "overview": overview}
        for number, (title, overview) in enumerate(plots, start=1)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "films.csv"
        assert write_films(path, iter(films)) == len(plots)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            found = [(row["title"], row["overview"]) for row in csv.DictReader(stream)]
    assert found == plots
