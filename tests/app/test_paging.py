from fastapi.testclient import TestClient


def pages_of(client: TestClient, path: str) -> list[int]:
    """Follow the links to the next page; return the number of entries on each page."""
    counts = []
    following: str | None = path
    while following is not None:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        # `/people` has two lists; homonyms are in one of them only once.
        counts.append(max(len(value) for value in body.values() if isinstance(value, list)))
        following = body["next"]
        link = answer.headers.get("link")
        assert link == (None if following is None else f'<{following}>; rel="next"')
    return counts


def test_link_never_repeats_the_host_that_a_caller_sent(client: TestClient):
    answer = client.get("/v1/people?q=a&limit=1", headers={"Host": "stranger.example"})
    assert answer.json()["next"].startswith("/v1/people?")
    assert "stranger" not in answer.headers["link"]
