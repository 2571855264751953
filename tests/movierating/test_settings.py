import os
import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from movierating import settings as module
from movierating.settings import (
    ApiSettings,
    PipelineSettings,
    Settings,
    SettingsError,
    SharedSettings,
    load_settings,
    pipeline_settings,
)

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-that-no-message-may-repeat"


def test_nothing_needs_to_be_set():
    settings = load_settings(Settings)
    assert settings.tmdb_api_key is None
    assert settings.tmdb_base_url == "https://api.themoviedb.org/3"
    assert settings.data_dir == "data-prepare"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_empty_variable_is_unset(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name.upper(), "")
    assert load_settings(Settings) == Settings()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_empty_line_of_the_file_is_unset(name: str, tmp_path: Path):
    env_file = tmp_path / ".env"
    env_file.write_text(f"{name.upper()}=\n")
    assert load_settings(Settings, env_file) == Settings()


def test_empty_variable_does_not_hide_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    env_file = tmp_path / ".env"
    env_file.write_text("S3_BUCKET_NAME=films\n")
    monkeypatch.setenv("S3_BUCKET_NAME", "")
    assert load_settings(Settings, env_file).s3_bucket_name == "films"


def test_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    env_file = tmp_path / ".env"
    env_file.write_text("S3_BUCKET_NAME=films\n")
    monkeypatch.setenv("S3_BUCKET_NAME", "others")
    assert load_settings(Settings, env_file).s3_bucket_name == "others"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TMDB_BASE_URL", "https://api.themoviedb.org/4"),
        ("TMDB_BASE_URL", "api.themoviedb.org/3"),
        ("TMDB_REQUESTS_PER_SECOND", "0"),
        ("TMDB_REQUESTS_PER_SECOND", "51"),
        ("COLLECT_MAX_FILMS", "0"),
        ("COLLECT_MAX_FILMS", SECRET),
        ("COLLECT_WORKERS", "0"),
        ("COLLECT_MAX_BAD_SHARE", "1.5"),
        ("DATA_DIR", "gs://films/data"),
        ("DATA_DIR", "s3://"),
        ("KEEP_DAYS", "0"),
        ("KEEP_MAX_GB", "-1"),
        ("PIPELINE_TIMEZONE", "Asia/Atlantis"),
        ("PIPELINE_TIMEZONE", "../../etc/passwd"),
        ("AWS_ENDPOINT_URL_S3", "127.0.0.1:8333"),
        ("AWS_ENDPOINT_URL_S3", "http://https://s3.example"),
        ("KEEP_VERSIONS", "0"),
        ("PROMOTION_APPROVAL", "perhaps"),
        ("WEEKLY_MESSAGE", "weekly"),
        ("CONFIRM_SECONDS", "-1"),
        ("API_URL", "127.0.0.1:8000"),
        ("MODEL_POLL_SECONDS", "-1"),
        ("TRANSLATION_TIMEOUT_SECONDS", "-1"),
        ("AIRFLOW_PORT", "0"),
        ("API_PORT", "65536"),
        ("UI_PORT", "http"),
    ],
)
def test_unusable_value_names_the_setting_and_not_the_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(Settings)
    sentence = str(caught.value)
    assert sentence.startswith(f"{name}: ")
    assert value not in sentence.split()
    assert "\n" not in sentence


def test_message_names_all_unusable_values(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_PORT", "0")
    monkeypatch.setenv("UI_PORT", "0")
    with pytest.raises(SettingsError, match=r"^API_PORT: .*; UI_PORT: "):
        load_settings(Settings)


def test_secrets_stay_out_of_the_representation():
    settings = load_settings(Settings, tmdb_api_key=SECRET, aws_secret_access_key=SECRET)
    assert SECRET not in f"{settings!r} {settings}"


def test_file_in_another_encoding_is_refused(tmp_path: Path):
    env_file = tmp_path / ".env"
    env_file.write_text(f"TMDB_API_KEY={SECRET}키\n", encoding="utf-16")
    with pytest.raises(SettingsError, match=r"\.env is not a text file in UTF-8") as caught:
        load_settings(Settings, env_file)
    assert SECRET not in str(caught.value)


def test_file_of_a_windows_editor_is_read(tmp_path: Path):
    env_file = tmp_path / ".env"
    env_file.write_text("S3_BUCKET_NAME=films\r\n", encoding="utf-8-sig")
    assert load_settings(Settings, env_file).s3_bucket_name == "films"


@pytest.mark.parametrize(
    "line", [f"TMDB_API_KEY {SECRET}", f'TMDB_API_KEY="{SECRET}', f"TMDB_API_KEY: {SECRET}"]
)
def test_message_has_the_number_of_a_broken_line(line: str, tmp_path: Path):
    env_file = tmp_path / ".env"
    env_file.write_text(f"# the settings\n{line}\nAPI_PORT=8000\n")
    with pytest.raises(SettingsError, match=r"^line 2 of .*\.env is broken") as caught:
        load_settings(Settings, env_file)
    assert SECRET not in str(caught.value)


def test_other_variables_in_the_file_are_ignored(tmp_path: Path):
    env_file = tmp_path / ".env"
    env_file.write_text("AIRFLOW__API__WORKERS=2\nEDITOR=vi\n")
    assert load_settings(Settings, env_file) == Settings()


def test_required_setting_is_named_when_it_is_not_set():
    with pytest.raises(SettingsError, match=r"^TMDB_API_KEY is not set; put it into \.env$"):
        load_settings(Settings).require("tmdb_api_key")


def test_required_secret_is_returned_as_text():
    assert load_settings(Settings, tmdb_api_key=SECRET).require("tmdb_api_key") == SECRET


def test_deployable_has_no_setting_of_the_other():
    shared = PipelineSettings.model_fields.keys() & ApiSettings.model_fields.keys()
    assert shared == SharedSettings.model_fields.keys()
    for secret in ("wandb_api_key", "alert_webhook_url", "api_key"):
        assert not hasattr(load_settings(ApiSettings), secret)
    assert not hasattr(load_settings(PipelineSettings), "api_key_hashes")


def test_unusable_setting_of_the_pipeline_does_not_stop_the_api(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TUNE_MINUTES", "0")
    load_settings(ApiSettings)
    with pytest.raises(SettingsError, match=r"^TUNE_MINUTES: "):
        load_settings(PipelineSettings)


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        load_settings(ApiSettings).api_port = 1


def test_example_file_has_a_section_for_each_class_with_its_settings():
    own = {
        kind: set(kind.model_fields) - set().union(*(each.model_fields for each in bases))
        for kind, bases in {
            SharedSettings: (),
            PipelineSettings: (SharedSettings,),
            ApiSettings: (SharedSettings,),
            Settings: (PipelineSettings, ApiSettings),
        }.items()
    }
    sections = re.split("(?m)^# --- .*$", (ROOT / ".env.example").read_text())[1:]
    for names, section in zip(own.values(), sections, strict=False):
        assert set(_names(section)) == {name.upper() for name in names}
    # The other sections set no variable: variables of Airflow or the containers are commented
    # out.
    assert _names("\n".join(sections[len(own) :])) == []


def test_example_file_states_the_defaults():
    assert load_settings(Settings, ROOT / ".env.example") == Settings()


def _names(text: str) -> list[str]:
    """List the variables that a `.env` text sets; ignore lines that are commented out."""
    return [
        line.partition("=")[0] for line in text.splitlines() if line and not line.startswith("#")
    ]


def test_broken_webhook_is_refused_without_repeating_it():
    with pytest.raises(SettingsError, match="ALERT_WEBHOOK_URL: must be an http address") as caught:
        load_settings(Settings, alert_webhook_url=SECRET)
    assert SECRET not in str(caught.value)


SECRETS = [
    name for name, field in Settings.model_fields.items() if field.annotation == SecretStr | None
]


@pytest.mark.parametrize("name", SECRETS)
def test_newlines_and_spaces_around_a_secret_are_removed(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    address = "https://hooks.example/planted"
    monkeypatch.setenv(name.upper(), f" \r\n{address}\r\n")
    assert load_settings(Settings).require(name) == address
    assert Settings(**{name: SecretStr(f"{address}\n")}).require(name) == address  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "form", ["\ufeff{}", "{}\u200b\n", '"{}"', "'{}'", ' "{}\n"\r\n', "\xa0{}\t", "\u3000{}"]
)
def test_quotes_and_invisible_characters_around_a_secret_are_removed(name: str, form: str):
    secret = "https://hooks.example/planted"
    assert load_settings(Settings, **{name: form.format(secret)}).require(name) == secret


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("odd", ["\n", "\r\n", " ", "\x00", "\u200b", "키"])
def test_secret_with_odd_characters_is_named_and_not_repeated(name: str, odd: str):
    secret = f"https://hooks.example/pla{odd}nted"
    with pytest.raises(SettingsError, match=f"^{name.upper()}: holds characters that") as caught:
        load_settings(Settings, **{name: secret})
    assert "nted" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data_dir", "s3://films/pipeline"),
        ("tmdb_base_url", "https://tmdb.example/3"),
        ("api_url", "http://api:8000"),
        ("pipeline_timezone", "Asia/Seoul"),
        ("s3_bucket_name", "films"),
    ],
)
def test_quotes_and_newlines_around_other_values_are_removed(name: str, value: str):
    assert getattr(load_settings(Settings, **{name: f'\ufeff"{value}"\r\n'}), name) == value


def test_quotes_and_newlines_around_a_list_and_its_values_are_removed():
    settings = load_settings(Settings, api_key_hashes=f'"{"a" * 64}\n, {"b" * 64}"\n')
    assert settings.api_key_hashes == ("a" * 64, "b" * 64)


def test_other_aws_variables_of_the_file_reach_boto3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("AWS_CA_BUNDLE", "AWS_CONFIG_FILE"):  # both are restored after the test
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ROLE_ARN", "of the environment")
    (tmp_path / ".env").write_text(
        "AWS_CA_BUNDLE=/etc/ours.pem\nAWS_CONFIG_FILE=\nAWS_ROLE_ARN=x\nAWS_ACCESS_KEY_ID=k\n"
    )
    monkeypatch.setattr(module, "ENV_FILE", tmp_path / ".env")
    pipeline_settings.cache_clear()
    assert pipeline_settings().require("aws_access_key_id") == "k"
    pipeline_settings.cache_clear()
    assert os.environ["AWS_CA_BUNDLE"] == "/etc/ours.pem"
    assert os.environ["AWS_ROLE_ARN"] == "of the environment"
    assert not {"AWS_CONFIG_FILE", "AWS_ACCESS_KEY_ID"} & os.environ.keys()


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost", "tmdb:8090"])
def test_only_a_local_imitation_of_tmdb_may_get_more_than_50_requests_a_second(host: str):
    local = load_settings(Settings, tmdb_base_url=f"http://{host}/3", tmdb_requests_per_second=1000)
    assert local.tmdb_requests_per_second == 1000
    with pytest.raises(SettingsError, match=r"^TMDB_REQUESTS_PER_SECOND: must be at most 50, as"):
        load_settings(Settings, tmdb_base_url="https://tmdb.example/3", tmdb_requests_per_second=51)


@pytest.mark.parametrize(
    ("mode", "line", "warns"),
    [
        (0o644, f"AWS_SECRET_ACCESS_KEY={SECRET}", True),
        (0o640, f"ALERT_WEBHOOK_URL=https://{SECRET}", True),
        (0o600, f"AWS_SECRET_ACCESS_KEY={SECRET}", False),
        (0o644, "AWS_SECRET_ACCESS_KEY=\nAPI_PORT=8000", False),
    ],
)
def test_warning_names_the_file_whose_secrets_others_can_read(
    mode: int,
    line: str,
    warns: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")
    file.chmod(mode)
    monkeypatch.setattr(module, "ENV_FILE", file)
    module._of_this_process(ApiSettings)
    assert (f"chmod 600 {file}" in caplog.text) is warns
    assert SECRET not in caplog.text
