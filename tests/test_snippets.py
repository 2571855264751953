"""Run the code examples from the documents against a real service over HTTP."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from app.main import create_app
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import ApiSettings, load_settings
from sandbox.s3.process import S3Server
from tests.support.bundles import Packed, put_into_production
from tests.support.live_service import running_service

ROOT: Final = Path(__file__).parents[1]
CLIENT: Final = ROOT / "clients" / "python"
ADDRESS: Final = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def url(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    settings = s3_server.settings(s3_server.new_bucket())
    put_into_production(Registry(open_bucket(settings)), packed)
    with running_service(settings, tmp_path_factory.mktemp("service")) as service:
        yield service.url


def snippet(kind: str) -> str:
    section = (ROOT / "docs" / "serving.md").read_text("utf-8").partition("\n## From code\n")[2]
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert ADDRESS in found
    return str(found)


def curls(text: str) -> list[str]:
    return re.findall(r"^curl (?:.*\\\n)*.*$", text, re.MULTILINE)


CURLS: Final = [
    *curls(snippet("sh")),
    *(each for each in curls((ROOT / "README.md").read_text("utf-8")) if ADDRESS in each),
]


@pytest.mark.parametrize("command", CURLS)
def test_curl_command_in_the_documents_gets_an_answer(url: str, command: str):
    if shutil.which("curl") is None:
        pytest.skip("there is no `curl` here")
    command = command.replace(ADDRESS, url).replace("curl ", "curl -f ", 1)
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)


def test_path_table_of_the_documents_lists_every_path():
    table = (ROOT / "docs" / "serving.md").read_text("utf-8").partition("\n## From code\n")[0]
    listed = set(re.findall(r"`(/[^`]*)`", table))
    served = set(create_app(load_settings(ApiSettings, s3_bucket_name="films")).openapi()["paths"])
    unversioned = {path.removeprefix("/v1") for path in listed}
    undescribed = {"/v1", "/docs", "/openapi.json", "/problems", "/problems/invalid-input"}
    assert listed - undescribed <= served
    assert served <= listed | unversioned


def run_python(url: str, code: str) -> "subprocess.CompletedProcess[str]":
    """Run an example of the Python client against the service, and return what it printed."""
    return subprocess.run(
        [sys.executable, "-c", code.replace(ADDRESS, url)],
        env=os.environ | {"PYTHONPATH": str(CLIENT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_python_client_in_the_documents_gets_a_forecast(url: str):
    result = run_python(url, snippet("python"))
    assert result.returncode == 0, result.stderr
    first, *reasons = result.stdout.splitlines()
    assert re.fullmatch(r"\d\.\d \(\d\.\d to \d\.\d\), without title, overview, .+", first)
    assert all(re.fullmatch(r"[+-]\d\.\d\d \w+", each) for each in reasons)


def test_python_client_in_the_documents_names_the_invalid_field(url: str):
    code = snippet("python") + "\nclient.forecast(genres=['Drama'], runtime=-1)"
    last = run_python(url, code).stderr.splitlines()[-1]
    error = "movie_rating_client.errors.InvalidInputError: runtime: the number is not above 0"
    assert last.startswith(f"{error}; send minutes")


def test_examples_of_the_client_run_and_print_ratings_and_problems(url: str):
    text = (CLIENT / "README.md").read_text("utf-8")
    first, second = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    one, several = run_python(url, first), run_python(url, second)
    assert re.fullmatch(r"\d\.\d \(\d\.\d to \d\.\d\)\nruntime: too_small\n", one.stdout), (
        one.stderr
    )
    assert re.fullmatch(r"(\d\.\d+\n){2}", several.stdout), several.stderr
