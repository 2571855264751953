import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("deflate,gzip;q=1.0, *", True),
        ("identity", False),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.00, br", False),
    ],
)
def test_large_answers_are_compressed_for_clients_that_accept_it(
    bare: TestClient, accepted: str, is_compressed: bool
):
    headers = {"accept-encoding": accepted}
    large, small = (bare.get(path, headers=headers) for path in ("/openapi.json", "/livez"))
    assert large.headers.get("content-encoding") == ("gzip" if is_compressed else None)
    assert large.json()["openapi"]
    assert "content-encoding" not in small.headers


def test_compressed_answer_says_on_what_it_depends(bare: TestClient):
    answer = bare.get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert answer.headers["vary"] == "Accept-Encoding"
