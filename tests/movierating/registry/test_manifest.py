import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from movierating.identity import sha256
from movierating.registry.manifest import (
    BundleError,
    Manifest,
    NewerFormatError,
    parse_manifest,
)
from tests.support.bundles import Packed


def altered(manifest: Manifest, **facts: Any) -> bytes:
    return json.dumps(json.loads(manifest.to_bytes()) | facts).encode()


def test_manifest_survives_its_own_bytes(packed: Packed):
    raw = packed.manifest.to_bytes()
    assert parse_manifest(raw, sha256(raw)) == packed.manifest


def test_version_is_the_date_and_a_digest(packed: Packed):
    day, _, digest = packed.manifest.version.rpartition("-")
    assert day == "2026-11-23"
    assert len(digest) == 12
    assert set(digest) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "circumstance",
    [
        {"created_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"wandb_run": "someone/project/abc"},
        {"kernel": "Zen"},
    ],
)
def test_circumstances_do_not_change_the_version(packed: Packed, circumstance: dict[str, Any]):
    again = packed.manifest.model_copy(update=circumstance).with_version()
    assert again.version == packed.manifest.version


@pytest.mark.parametrize(
    "fact",
    [
        {"run_date": date(2026, 11, 22)},
        {"commit": "0" * 40},
        {"parameters": {"max_depth": 4}},
        {"average_rating": 5.0},
        {"golden": ()},
        {"files": {}},
    ],
)
def test_everything_else_changes_the_version(packed: Packed, fact: dict[str, Any]):
    assert packed.manifest.model_copy(update=fact).with_version().version != packed.manifest.version


def test_manifest_of_version_1_0_0_is_read_and_matches_its_version(packed: Packed):
    """A rollback to a version that 1.0.0 published must still be possible."""
    facts = json.loads(packed.manifest.to_bytes()) | {"format": 2}
    since = {name for name, value in Manifest.model_fields.items() if not value.is_required()}
    facts = {name: facts[name] for name in facts if name not in since - {"format", "version"}}
    named = {name: facts[name] for name in facts if name not in {"version", "created_at"}}
    del named["wandb_run"]
    digest = sha256(json.dumps(named, separators=(",", ":")).encode())[:12]
    raw = json.dumps(facts | {"version": f"{packed.manifest.run_date}-{digest}"}).encode()
    old = parse_manifest(raw, sha256(raw))
    assert old.kernel is None
    assert old.matches_version()


def test_altered_manifest_is_refused_before_it_is_parsed(packed: Packed):
    with pytest.raises(BundleError, match=r"^manifest.json does not have the SHA-256"):
        parse_manifest(b"{ not even JSON", packed.manifest_sha256)


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"null", b"\xff", b'"format"', b'{"format": 2}']
)
def test_bytes_that_are_not_a_manifest_are_refused(raw: bytes):
    with pytest.raises(BundleError, match=r"^manifest.json is not a manifest$"):
        parse_manifest(raw, sha256(raw))


def test_newer_format_has_an_error_of_its_own(packed: Packed):
    for other, newer in ((1, False), (4, True)):
        raw = altered(packed.manifest, format=other)
        with pytest.raises(BundleError) as caught:
            parse_manifest(raw, sha256(raw))
        assert isinstance(caught.value, NewerFormatError) == newer


def test_version_matches_the_stored_manifest(packed: Packed):
    assert packed.manifest.matches_version()
    stored = packed.manifest.to_bytes()
    assert parse_manifest(stored, sha256(stored)).matches_version()
    assert not packed.manifest.model_copy(update={"average_rating": 1.0}).matches_version()
    assert not packed.manifest.model_copy(update={"version": "another"}).matches_version()


@pytest.mark.parametrize("other", [1, 4])
def test_other_format_is_refused(packed: Packed, other: int):
    raw = altered(packed.manifest, format=other, something="new")
    sentence = f"^the bundle has format {other}; this code reads formats 2 and 3$"
    with pytest.raises(BundleError, match=sentence):
        parse_manifest(raw, sha256(raw))


def test_unknown_field_of_the_known_format_is_refused(packed: Packed):
    raw = altered(packed.manifest, something="new")
    with pytest.raises(BundleError, match="not a manifest"):
        parse_manifest(raw, sha256(raw))


@pytest.mark.parametrize(
    "name", ["../model.onnx", "/etc/passwd", "..", ".", "", ".hidden", "a/b", "a\\b", "a\n", "ü"]
)
def test_file_name_with_a_path_is_refused(packed: Packed, name: str):
    raw = altered(packed.manifest, files={name: {"sha256": sha256(b""), "bytes": 0}})
    with pytest.raises(BundleError, match="not a manifest"):
        parse_manifest(raw, sha256(raw))
