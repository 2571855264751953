import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize("path", ["/livez/", "/v1/options/?a=b", "/problems/", "/docs/"])
@pytest.mark.parametrize("host", ["evil.example", "testserver"])
def test_redirect_does_not_repeat_the_host(client: TestClient, path: str, host: str):
    answer = client.get(path, headers={"Host": host}, follow_redirects=False)
    assert answer.status_code == 307
    start, _, query = path.partition("?")
    assert answer.headers["location"] == start.rstrip("/") + (f"?{query}" if query else "")
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/", "///livez/", "/%2F%2Fevil.example/"])
def test_no_path_leads_to_another_host(client: TestClient, path: str):
    answer = client.get(f"http://testserver{path}", follow_redirects=False)
    assert not answer.headers.get("location", "").startswith("//")
