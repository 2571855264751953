import pytest
from markdown_it import MarkdownIt

from scripts.evaluation import report
from ui.widgets.markdown import plain

HOSTILE = [
    "![x](http://evil.example/p.png)",
    "[a](http://evil.example)",
    "http://evil.example www.evil.example",
    "<img src=http://evil.example>",
    ":red[x] :material/home: $x^2$",
    "a\n\n# b",
    "- a",
    "1. a",
    "`a` *b* _c_ ~~d~~ a|b",
    "a\\",
    "&copy; 50%",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_name_is_shown_as_it_is(name: str):
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(plain(name))
    assert [each.type for each in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {each.type for each in children} <= {"text", "text_special"}
    assert "".join(each.content for each in children) == " ".join(name.split())


@pytest.mark.parametrize("name", ["Park Chan wook", "박찬욱", "Amélie 2"])
def test_usual_name_stays_unchanged(name: str):
    assert plain(name) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_report_and_page_have_the_same_rule(name: str):
    assert report._TEMPLATES.filters["plain"](name) == plain(name)
