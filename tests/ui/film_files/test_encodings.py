import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.film_files.encodings import decode
from ui.film_files.errors import FileError

KOREAN = "제목,줄거리\n등불,섬으로 돌아온 등대지기의 딸이 편지 한 통을 발견한다.\n"
MIXED = "title,overview\n항구,항구로 돌아온 남자가 “오래된 약속”을 지키려 한다 ― 펲시 SF영화\n"
JAPANESE = "title,overview\n灯台の手紙,島に戻った灯台守の娘が一通の手紙を見つける。\n"
WESTERN = (
    "title,directors\nIt’s “Élan”, naïve – Amélie,Iñárritu; Hallström; Lars von Trier\n"
    "Søren’s São Paulo,Almodóvar; Zoë; Müller; Bjørn; Gonçalves\n"
)
APOSTROPHE = "title,overview\nIt’s,The lighthouse keeper’s daughter doesn’t know.\n"
# Texts in encodings that the page does not read. Each can be decoded as one that it does read.
OTHERS = {
    "gbk": "title,overview\n灯塔的信,灯塔看守人的女儿回到童年的小岛，发现了一封家人藏起来的信。\n",
    "big5": "title,overview\n燈塔的信,燈塔看守人的女兒回到童年的小島，發現了一封家人藏起來的信。\n",
    "euc_jp": JAPANESE,
    "cp1251": "title,overview\nМаяк,Дочь смотрителя маяка находит письмо, которое скрыла семья.\n",
    "koi8_r": "title,overview\nМаяк,Дочь смотрителя маяка находит письмо, которое скрыла семья.\n",
    "cp1253": "title,overview\nΟ φάρος,Η κόρη του φαροφύλακα βρίσκει ένα γράμμα.\n",
    "cp1250": "title,directors\nŽítřek přišel dříve,Jiří Dvořák; Věra Šťastná; Zbyněk Růžička\n",
    "iso8859_2": "title,directors\nŁódź wśród żagli,Wojciech Święty; Małgorzata Dąbrowska\n",
    "cp1254": "title,directors\nKış Işığı,Nuri Şahin; Çağrı Yılmaz\n",
    "mac_roman": "title,directors\nIt’s été,François Noël; Müller\n",
    "cp437": "title,directors\nÉté,François Noël; Müller\n",
    "cp1255": "title,overview\nמגדלור,הבת של שומר המגדלור מוצאת מכתב.\n",
    "cp1256": "title,overview\nالمنارة,ابنة حارس المنارة تجد رسالة.\n",
    "cp874": "title,overview\nประภาคาร,ลูกสาวของผู้ดูแลประภาคารพบจดหมาย\n",
    "johab": KOREAN,
}


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        (KOREAN, "utf-8", "UTF-8"),
        (KOREAN, "utf-8-sig", "UTF-8 (BOM)"),
        (KOREAN, "cp949", "CP949 (EUC-KR)"),
        (MIXED, "cp949", "CP949 (EUC-KR)"),
        ("title,genre\n기생충,Drama\n", "cp949", "CP949 (EUC-KR)"),
        (JAPANESE, "cp932", "Shift-JIS"),
        (WESTERN, "cp1252", "Windows-1252"),
        (APOSTROPHE, "cp1252", "Windows-1252"),
        ("title\nIt’s\n", "cp1252", "Windows-1252"),
        ("title\nDon’t – «Ça»…\n", "cp1252", "Windows-1252"),
        ("title\nÄhnlich Über Ärger\n", "cp1252", "Windows-1252"),
        (KOREAN, "utf-16-le", "UTF-16 LE"),
        (KOREAN, "utf-16-be", "UTF-16 BE"),
        ("title,genre\nThe Lantern,Drama\n", "utf-16-le", "UTF-16 LE"),
        (JAPANESE, "utf-16-be", "UTF-16 BE"),
        ("title,genre\nThe Lantern,Drama\n", "ascii", "UTF-8"),
        (WESTERN, "utf-8", "UTF-8"),
        (JAPANESE, "utf-8", "UTF-8"),
    ],
)
def test_encoding_is_told_by_the_bytes(text: str, codec: str, name: str):
    found = decode(text.encode(codec))
    assert (found.text, found.encoding) == (text, name)


@pytest.mark.parametrize(
    ("mark", "codec", "name"),
    [
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16 LE"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16 BE"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32 LE"),
        (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32 BE"),
    ],
)
def test_mark_at_the_beginning_names_the_encoding(mark: bytes, codec: str, name: str):
    found = decode(mark + KOREAN.encode(codec))
    assert (found.text, found.encoding) == (KOREAN, name)


@pytest.mark.parametrize("codec", OTHERS)
def test_unknown_encoding_is_refused(codec: str):
    with pytest.raises(FileError) as caught:
        decode(OTHERS[codec].encode(codec))
    assert caught.value.kind == "encoding"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (KOREAN.encode("cp949") + "é’s".encode("cp1252"), "encoding"),
        (KOREAN.encode() + KOREAN.encode("cp949"), "encoding"),
        (codecs.BOM_UTF8 + KOREAN.encode("cp949"), "encoding"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "encoding"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "unreadable"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 2, "unreadable"),
        (b"title\x01\x02,genre\n", "unreadable"),
    ],
    ids=["two encodings", "utf-8 and cp949", "wrong mark", "half", *"abc"],
)
def test_file_in_doubt_is_refused(raw: bytes, kind: str):
    with pytest.raises(FileError) as caught:
        decode(raw)
    assert caught.value.kind == kind


@settings(max_examples=40)
@given(st.text(alphabet="abc XYZ ’“”–…", min_size=1))
def test_western_signs_never_become_hangul(text: str):
    raw = f"title\n{text}\n".encode("cp1252")
    assert decode(raw).text == f"title\n{text}\n"
