import io
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest

from movierating.model.arrays import read_array, read_arrays

ZEROS = np.zeros(10_000_000, np.uint8)


def archive(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def zipped(content: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        file.writestr("ids.npy", content)
    return stream.getvalue()


def peak_of_refusal(raw: bytes) -> int:
    """Return how much memory is used until an archive is refused."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"arrays|header"):
            read_arrays(raw, ["ids"], max_bytes=100_000)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_arrays_are_read():
    raw = archive(ids=np.arange(5), names=np.zeros((2, 3), np.float16))
    arrays = read_arrays(raw, ["ids", "names"])
    assert arrays["ids"].tolist() == [0, 1, 2, 3, 4]
    assert arrays["names"].shape == (2, 3)


def test_archive_that_would_fill_the_memory_is_refused_before_decompression():
    raw = archive(ids=ZEROS)
    assert len(raw) < 20_000
    assert peak_of_refusal(raw) < 1_000_000


def test_archive_that_announces_less_than_it_holds_is_refused():
    raw = archive(ids=ZEROS)
    # The size of the decompressed file is in both places where zip keeps it.
    size = len(npy(ZEROS)).to_bytes(4, "little")
    assert size in raw
    assert peak_of_refusal(raw.replace(size, (50_000).to_bytes(4, "little"))) < 1_000_000


@pytest.mark.parametrize(
    "raw",
    [
        b"no archive",
        archive(others=np.arange(3)),
        archive(ids=np.array([None], object)),
        zipped(b"no array"),
        zipped(npy(np.arange(3)), zipfile.ZIP_LZMA),
        zipped(npy(np.arange(3))[:-1]),
        zipped(npy(np.arange(3)) + b"more"),
    ],
    ids=["no zip", "other names", "object", "no array", "lzma", "too short", "too long"],
)
def test_other_archives_are_refused(raw: bytes):
    with pytest.raises(ValueError, match=r"arra|header|compression"):
        read_arrays(raw, ["ids"])


def test_array_whose_header_announces_more_than_there_is_is_refused():
    huge = npy(np.zeros(7, np.int64)).replace(b"(7,), }         ", b"(7000000000,), }")
    with pytest.raises(ValueError, match="another size"):
        read_array(huge)
