from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from movierating.s3_errors import S3UnavailableError
from movierating.settings import Settings, load_settings
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import (
    DataFileError,
    atomic_write,
    check_writable,
    data_folder,
    local_copy,
    read_json,
    staged_folder,
    write_bytes,
    write_json,
)
from tests.support.bundles import RUN_DATE
from tests.support.faulty_s3 import Answer, answering, refusal


def test_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "films.csv"
    write_bytes(path, b"old")

    def fail_midway() -> None:
        with atomic_write(path) as partial:
            partial.write_bytes(b"half of the n")
            raise KeyError

    with pytest.raises(KeyError):
        fail_midway()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk_is_reported_in_one_sentence(tmp_path: Path):
    def fill() -> None:
        with atomic_write(tmp_path / "films.csv"):
            raise OSError(28, "No space left on device")

    with pytest.raises(DataFileError, match=r"no space left on device.*; change DATA_DIR or free"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_unwritable_folder_is_reported_in_one_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DataFileError, match=r"cannot be written \(not a directory\)"):
        check_writable(tmp_path / "file" / "data")


def test_writable_check_creates_the_folder_and_leaves_no_file(tmp_path: Path):
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.fixture
def there(bucket_settings: Settings) -> Settings:
    """Return settings whose working folder is in S3."""
    return bucket_settings.model_copy(
        update={"data_dir": f"s3://{bucket_settings.s3_bucket_name}/pipeline/"}
    )


def test_data_folder_is_local_or_in_s3_as_configured(there: Settings, tmp_path: Path):
    assert data_folder(load_settings(Settings, data_dir=str(tmp_path))) == tmp_path
    assert str(data_folder(there)) == f"s3://{there.s3_bucket_name}/pipeline"


def test_files_in_s3_are_written_and_read_like_local_ones(there: Settings):
    files = RunFiles(data_folder(there), RUN_DATE)
    check_writable(files.folder)
    assert not files.collected.exists()
    with pytest.raises(DataFileError, match="run collect for 2026-11-23 first"):
        files.require(files.collected, "collect")
    write_json(files.collected, {"films": 1})
    assert read_json(files.require(files.collected, "collect")) == {"films": 1}
    write_json(files.collected, {"films": 2})
    assert read_json(files.collected) == {"films": 2}


def test_failed_write_to_s3_leaves_the_old_file(there: Settings):
    path = data_folder(there) / "films.csv"
    write_bytes(path, b"old")

    def fail_midway() -> None:
        with atomic_write(path) as partial:
            partial.write_bytes(b"half of the n")
            raise KeyError

    with pytest.raises(KeyError):
        fail_midway()
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("where", ["here", "there"])
def test_staged_folder_can_be_read_as_a_local_copy(there: Settings, tmp_path: Path, where: str):
    settings = there if where == "there" else load_settings(Settings, data_dir=str(tmp_path))
    folder = RunFiles(data_folder(settings), RUN_DATE).bundle
    with staged_folder(folder) as here:
        here.mkdir(exist_ok=True)
        (here / "model.onnx").write_bytes(b"model")
    with local_copy(folder) as here:
        assert {path.name: path.read_bytes() for path in here.iterdir()} == {"model.onnx": b"model"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"data_dir": "s3://no-such-bucket/pipeline"}, "there is no bucket 'no-such-bucket'"),
        ({"aws_secret_access_key": SecretStr("wrong")}, "check AWS_SECRET_ACCESS_KEY"),
        ({"aws_access_key_id": SecretStr("nobody")}, "check AWS_ACCESS_KEY_ID"),
        ({"aws_endpoint_url_s3": "http://127.0.0.1:9"}, "check AWS_ENDPOINT_URL_S3"),
    ],
    ids=["bucket", "secret", "key", "address"],
)
def test_unusable_folder_in_s3_is_reported_in_one_sentence(
    there: Settings, change: dict[str, Any], sentence: str
):
    with pytest.raises(S3UnavailableError, match=sentence):
        check_writable(data_folder(there.model_copy(update=change)))


def test_connection_that_breaks_during_the_check_is_not_a_missing_object(there: Settings):
    def answer(method: str, path: str, ask: Callable[[], Answer]) -> Answer:
        del path
        if method == "HEAD":  # S3 answers that there is no such object, as expected
            return ask()
        raise ConnectionAbortedError

    with answering(answer, there.require("aws_endpoint_url_s3")) as url:
        broken = there.model_copy(update={"aws_endpoint_url_s3": url})
        with pytest.raises(S3UnavailableError, match="S3 cannot be reached"):
            check_writable(data_folder(broken))


@pytest.mark.parametrize("use", [lambda path: path.exists(), read_json], ids=["exists", "read"])
@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (400, "ExpiredToken", "S3 refuses the session token"),
        (403, "RequestTimeTooSkewed", "set the clock"),
        (403, "AccessDenied", "S3 refuses access"),
        (307, "TemporaryRedirect", "redirects to http://elsewhere"),
        (501, "NotImplemented", "S3 answered 501|refuses a header"),
    ],
)
def test_refusal_to_say_whether_a_file_exists_is_reported_in_one_sentence(
    there: Settings, status: int, code: str, sentence: str, use: Callable[[Any], Any]
):
    def answer(method: str, *_: Any) -> Answer:
        headers = {"Location": "http://elsewhere/"} if status == 307 else {}
        return (status, headers, b"" if method == "HEAD" else refusal(status, code)[2])

    with answering(answer, there.require("aws_endpoint_url_s3")) as url:
        refusing = there.model_copy(update={"aws_endpoint_url_s3": url})
        with pytest.raises(S3UnavailableError, match=sentence):
            use(data_folder(refusing) / "failing.json")


def test_refused_file_does_not_pass_as_missing(there: Settings):
    def answer(method: str, _: str, ask: Callable[[], Answer]) -> Answer:
        return (403, {}, b"") if method == "HEAD" else ask()  # lists are allowed

    write_json(data_folder(there) / "failing.json", {})
    with answering(answer, there.require("aws_endpoint_url_s3")) as url:
        refusing = there.model_copy(update={"aws_endpoint_url_s3": url})
        with pytest.raises(S3UnavailableError, match="refuses access"):
            (data_folder(refusing) / "failing.json").exists()


def test_missing_file_in_s3_is_missing(there: Settings):
    folder = data_folder(there)
    write_json(folder / "a" / "b.json", {})
    assert (folder / "a").exists()
    assert not (folder / "b").exists()
    with pytest.raises(FileNotFoundError):
        read_json(folder / "a" / "c.json")
