import pytest
from fastapi.testclient import TestClient

PATHS = [
    "/v1/options",
    "/v1/evidence",
    "/v1/card",
    "/v1/forecasts",
    "/v1/forecasts.atom",
    "/v1/forecasts.ics",
    "/v1/track-record",
    "/v1/track-record/films",
    "/v1/history",
    "/v1/people?q=a",
    "/v1/ratings",
    "/options",
]


@pytest.mark.parametrize("path", PATHS)
def test_response_that_the_client_has_is_not_sent_again(client: TestClient, path: str):
    first = client.get(path)
    tag = first.headers["etag"]
    again = client.get(path, headers={"If-None-Match": f'"other", {tag}'})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["etag"] == tag
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert "no-store" not in first.headers["cache-control"]


@pytest.mark.parametrize(
    ("known", "status"), [('W/"other"', 200), ("", 200), ("*", 304), ('"other", *', 304)]
)
def test_other_tags_get_the_response(client: TestClient, known: str, status: int):
    assert client.get("/v1/options", headers={"If-None-Match": known}).status_code == status


def test_tag_is_the_same_with_compression_and_for_head(client: TestClient):
    headers = {"Accept-Encoding": "gzip"}
    plain = client.get("/v1/card", headers={"Accept-Encoding": "identity"})
    packed, head = client.get("/v1/card", headers=headers), client.head("/v1/card", headers=headers)
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["etag"] == packed.headers["etag"] == head.headers["etag"]


def test_different_responses_have_different_tags(client: TestClient):
    tags = {client.get(path).headers["etag"] for path in PATHS[:-1]}
    assert len(tags) == len(PATHS) - 1


def test_problems_and_forecasts_have_no_tag(client: TestClient):
    refused = client.get("/v1/people", params={"q": ""}, headers={"If-None-Match": "*"})
    assert refused.status_code == 422
    assert "etag" not in refused.headers
    assert "etag" not in client.post("/v1/predict", json={"genres": ["Drama"]}).headers
