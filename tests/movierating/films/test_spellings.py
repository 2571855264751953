import pytest

from movierating.films.spellings import loose_key, loose_keys


@pytest.mark.parametrize(
    "name", ["Bong Joon-ho", "Joon-ho Bong", "Bong Joonho", "BONG JOON HO", "봉준호", "봉 준호"]
)
def test_korean_name_is_found_in_any_order_and_joined(name: str):
    assert loose_key(name) in loose_keys(["Bong Joon Ho", "봉준호"])


@pytest.mark.parametrize("name", ["Hamaguchi Ryusuke", "Ryūsuke Hamaguchi", "濱口竜介"])
def test_japanese_name_is_found_in_any_order(name: str):
    assert loose_key(name) in loose_keys(["Ryusuke Hamaguchi", "濱口竜介"])


@pytest.mark.parametrize(
    "name",
    [
        "Джеймс Томас",
        "제임스 토머스",
        "ジェームズ",
        "ジェームズ・トーマス",
        "詹姆斯·托马斯",
        "詹姆斯托马斯",
    ],
)
def test_people_without_such_a_name_are_found_in_no_other_order(name: str):
    assert loose_keys(["James Thomas", name]) == set()


@pytest.mark.parametrize("name", ["봉준호", "宮崎駿", "佐々木昭", "王家卫", "张艺谋", "남궁민수"])
def test_native_names_are_known_by_their_form(name: str):
    assert "thomasjames" in loose_keys(["James Thomas", name])


def test_long_texts_and_empty_ones_have_no_other_orders():
    assert loose_keys(["봉준호", "", "a b c d e f"]) == {"봉준호", ""}
