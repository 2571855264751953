import pickle

import pytest

from movierating.films.codes import Codes, CodeTable
from scripts.dataset.legacy import encoder_pickles, exports

CODES = Codes(CodeTable(("Drama", "Action", "Crime")), CodeTable(("ko", "en")))
PICKLES = {
    "main_genre_encoder.pkl": CODES.genres,
    "original_language_encoder.pkl": CODES.languages,
}


@pytest.mark.parametrize(("name", "table"), PICKLES.items())
def test_pickled_encoder_gives_the_same_codes_as_the_table(name: str, table: CodeTable):
    encoder = pickle.loads(encoder_pickles(CODES)[name])
    asked = [*table.names, "Puppetry", "tlh"]
    coded = encoder.transform([[each] for each in asked]).ravel().tolist()
    assert coded == [table.code(each) for each in asked]
    assert coded[-2:] == [-1, -1]


def test_encoders_are_named_as_in_the_old_system():
    assert encoder_pickles(CODES).keys() == PICKLES.keys()


def test_export_has_the_unchanged_model_and_both_encoders():
    exported = exports(b"pickled", CODES)
    assert exported.pop("best_model.pkl") == b"pickled"
    assert exported == encoder_pickles(CODES)
