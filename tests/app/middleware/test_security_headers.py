import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from movierating.settings import Settings
from tests.app.routes.test_predict import OLD


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/options", "/livez", "/docs", "/nowhere"])
def test_every_response_has_the_security_headers(client: TestClient, path: str):
    headers = client.get(path, params=OLD).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers


def test_only_the_documentation_may_load_anything(client: TestClient):
    assert "default-src 'self'" in client.get("/docs").headers["content-security-policy"]
    assert "default-src 'none'" in client.get("/v1/options").headers["content-security-policy"]


def test_https_responses_have_hsts(client: TestClient):
    headers = client.get("https://testserver/livez").headers
    assert headers["strict-transport-security"] == "max-age=31536000"


def test_responses_have_hsts_if_a_trusted_proxy_speaks_https(bucket_settings: Settings):
    forwarded = {"X-Forwarded-Proto": "https"}
    for trusted, has_hsts in ((("0.0.0.0/0",), True), (("10.0.0.1",), False)):
        settings = bucket_settings.model_copy(update={"trusted_proxies": trusted})
        client = TestClient(create_app(settings), client=("10.9.9.9", 1))
        headers = client.get("/livez", headers=forwarded).headers
        assert ("strict-transport-security" in headers) is has_hsts


def test_only_files_of_the_documentation_may_be_cached(client: TestClient):
    files = client.get("/static-offline-docs/swagger-ui.css")
    assert files.status_code == 200
    assert files.headers["cache-control"] == "public, max-age=86400"
    assert client.get("/livez").headers["cache-control"] == "no-store"
    assert client.get("/nowhere").headers["cache-control"] == "no-store"
