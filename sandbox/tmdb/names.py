"""Invent names of people and places, and paths of images.

The names of people and places can be written in the script of a language, such as Korean.
"""

from dataclasses import dataclass
from functools import lru_cache

from sandbox.tmdb.films import Person
from sandbox.tmdb.hashing import stable_hash

# One row per syllable, one column per script. Every syllable ends in a vowel: the form of a Korean
# particle depends on whether the word before it does, so one form fits all names.
SCRIPTS = ("latin", "ko", "ja", "zh", "hi")
SYLLABLES: tuple[tuple[str, str, str, str, str], ...] = (
    ("ba", "바", "バ", "巴", "बा"),
    ("be", "베", "ベ", "贝", "बे"),
    ("bo", "보", "ボ", "波", "बो"),
    ("da", "다", "ダ", "达", "दा"),
    ("de", "데", "デ", "德", "दे"),
    ("do", "도", "ド", "多", "दो"),
    ("fe", "페", "フェ", "费", "फे"),
    ("ga", "가", "ガ", "加", "गा"),
    ("go", "고", "ゴ", "戈", "गो"),
    ("ka", "카", "カ", "卡", "का"),
    ("ke", "케", "ケ", "克", "के"),
    ("ki", "키", "キ", "基", "की"),
    ("ko", "코", "コ", "科", "को"),
    ("la", "라", "ラ", "拉", "ला"),
    ("le", "레", "レ", "莱", "ले"),
    ("li", "리", "リ", "利", "ली"),
    ("lo", "로", "ロ", "洛", "लो"),
    ("lu", "루", "ル", "鲁", "लू"),
    ("ma", "마", "マ", "马", "मा"),
    ("me", "메", "メ", "梅", "मे"),
    ("mi", "미", "ミ", "米", "मी"),
    ("mo", "모", "モ", "莫", "मो"),
    ("na", "나", "ナ", "纳", "ना"),
    ("ne", "네", "ネ", "内", "ने"),
    ("ni", "니", "ニ", "尼", "नी"),
    ("no", "노", "ノ", "诺", "नो"),
    ("sa", "사", "サ", "萨", "सा"),
    ("se", "세", "セ", "塞", "से"),
    ("so", "소", "ソ", "索", "सो"),
    ("ta", "타", "タ", "塔", "ता"),
    ("te", "테", "テ", "特", "ते"),
    ("ti", "티", "ティ", "蒂", "ती"),
    ("to", "토", "ト", "托", "तो"),
    ("va", "바", "ヴァ", "瓦", "वा"),
    ("ve", "베", "ヴェ", "韦", "वे"),
    ("vi", "비", "ヴィ", "维", "वी"),
    ("ya", "야", "ヤ", "亚", "या"),
    ("yo", "요", "ヨ", "约", "यो"),
    ("zu", "주", "ズ", "祖", "ज़ू"),
)
PATH_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(frozen=True, slots=True)
class Name:
    """An invented name.

    Attributes:
        syllables: The row number in the table `SYLLABLES` for each syllable of the name.
    """

    syllables: tuple[int, ...]

    def spelled(self, language: str) -> str:
        """Return the name, written in the script of a language.

        If `SCRIPTS` does not contain the language, the name is written in Latin letters and starts
        with a capital letter.
        """
        if language not in SCRIPTS:
            return self.spelled("latin").capitalize()
        script = SCRIPTS.index(language)
        return "".join(SYLLABLES[at][script] for at in self.syllables)


def invent(length: int, *parts: object) -> Name:
    """Invent a name.

    Args:
        length: The number of syllables.
        parts: Any values, such as an id. The same values always give the same name.
    """
    number = stable_hash(*parts)
    syllables = []
    for _ in range(length):
        number, syllable = divmod(number, len(SYLLABLES))
        syllables.append(syllable)
    return Name(tuple(syllables))


# The same people occur in many films, and each name takes longer to invent than to look up.
@lru_cache(maxsize=50_000)
def invented_person(person_id: int, language: str = "en") -> Person:
    """Invent a person with this id; the same id always gets the same name.

    The person's `name` is in Latin letters. The `original_name` is in the script of `language`.
    """
    given = invent(2 + person_id % 2, person_id, "given")
    family = invent(4, person_id, "family")
    latin = f"{given.spelled('')} {family.spelled('')}"
    original = latin
    if language in ("ko", "ja", "zh"):
        original = f"{family.spelled(language)} {given.spelled(language)}"
    elif language == "hi":
        original = f"{given.spelled(language)} {family.spelled(language)}"
    return Person(person_id, latin, original, gender=person_id % 3)


def image_path(film_id: int, kind: str, suffix: str = "jpg") -> str:
    """Invent the path of a film's image in TMDB's format: 27 letters and digits, then ".jpg"."""
    number = stable_hash(film_id, kind, size=24)
    letters = []
    for _ in range(27):
        number, letter = divmod(number, len(PATH_LETTERS))
        letters.append(PATH_LETTERS[letter])
    return f"/{''.join(letters)}.{suffix}"
