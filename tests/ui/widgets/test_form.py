import pytest

from ui.i18n.words import LANGUAGES, Words
from ui.widgets import form


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sample", form.SAMPLES)
def test_every_sample_has_a_title_and_a_plot(language: str, sample: str):
    words = Words(language)
    assert words(f"samples.{sample}_title")
    assert len(words(f"samples.{sample}_plot")) > 50
