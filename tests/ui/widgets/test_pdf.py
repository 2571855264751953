import pytest

from tests.support.stub_api import EVIDENCE, FORECAST, MODEL, UNTRANSLATED
from ui.client.model import Evidence, Model
from ui.client.predictions import Forecast
from ui.i18n.words import Words
from ui.widgets.pdf import KOREAN, LATIN, Answer, _font, document
from ui.widgets.reliability import Background
from ui.widgets.scenarios import Scenario

FACTS = {
    "title": "등불 & <그림자>",
    "overview": "빛과 어둠.\n" * 40,
    "genres": ["Drama", "Puppetry"],
    "language": "ko",
    "countries": ["KR"],
    "runtime": 112,
}


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("forecast", [FORECAST, UNTRANSLATED])
@pytest.mark.parametrize("model", [None, MODEL])
def test_document_is_made_in_both_languages(language: str, forecast: object, model: object):
    background = Background(Model.parse(model), Evidence.parse(EVIDENCE)) if model else Background()
    raw = document(Words(language), Answer(FACTS, Forecast.parse(forecast), background))
    assert raw.startswith(b"%PDF-")
    assert KOREAN.encode() in raw
    assert len(raw) < 50_000


def test_document_needs_no_fact_but_the_genre():
    answer = Answer({"genres": ["Drama"]}, Forecast.parse(FORECAST), Background())
    raw = document(Words("en"), answer)
    assert raw.rstrip().endswith(b"%%EOF")


def test_document_has_the_scenarios_of_the_film():
    forecast = Forecast.parse(FORECAST)
    scenario = Scenario({"runtime": 150}, FACTS | {"runtime": 150}, forecast)
    answers = [Answer(FACTS, forecast, Background(), pinned) for pinned in ((), (scenario,))]
    without, with_one = (document(Words("en"), answer) for answer in answers)
    assert len(with_one) > len(without)


@pytest.mark.parametrize(
    ("text", "font"), [("Film", LATIN), ("Amélie −0.3", LATIN), ("등불", KOREAN), ("灯", KOREAN)]
)
def test_text_with_letters_that_helvetica_lacks_uses_the_korean_font(text: str, font: str):
    assert _font(text) == font
