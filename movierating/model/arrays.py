"""Read NumPy arrays from bytes that someone else may have written, without filling the memory.

A compressed archive of 4 MB can hold 4 GB of zeros, and the header of an array can announce any
shape. So both are compared with a limit before any memory is reserved.
"""

import io
from collections.abc import Iterable
from math import prod
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812 - an error's name

import numpy as np
import numpy.typing as npt

MAX_ARRAY_BYTES: Final = 100_000_000  # of all arrays of an archive; 47,000 films need 20 MB
# Other compressions can only be read as a whole.
_COMPRESSIONS: Final = frozenset({ZIP_STORED, ZIP_DEFLATED})


def read_arrays(
    raw: bytes, names: Iterable[str], max_bytes: int = MAX_ARRAY_BYTES
) -> dict[str, npt.NDArray[Any]]:
    """Read arrays from a NumPy archive (.npz).

    Args:
        raw: The archive.
        names: The names of the arrays.
        max_bytes: The largest size of all arrays in the archive together, after decompression.

    Raises:
        ValueError: The bytes are not an archive with these arrays, or they are too large.
    """
    try:
        with ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > max_bytes:
                raise ValueError(f"the arrays have more than {max_bytes} bytes")
            if any(member.compress_type not in _COMPRESSIONS for member in members):
                raise ValueError("the archive has another compression than deflate")
            arrays = {}
            for name in names:
                with archive.open(f"{name}.npy") as stream:
                    # The size is given, because otherwise zipfile decompresses all that is there.
                    size = archive.getinfo(f"{name}.npy").file_size
                    arrays[name] = read_array(stream.read(size))
            return arrays
    except (OSError, KeyError, EOFError, RuntimeError, BadZipFile, ZlibError) as error:
        raise ValueError("the bytes are not an archive of the expected arrays") from error


def read_array(raw: bytes) -> npt.NDArray[Any]:
    """Read an array from a NumPy file (.npy) that is as large as its header says.

    Raises:
        ValueError: The bytes are not such a file.
    """
    stream = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = _HEADERS[version]
        shape, _, kind = read_header(stream)
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ValueError("the bytes are not a NumPy array") from error
    if kind.hasobject:
        raise ValueError("the array holds pickled objects; loading them could run any code")
    if stream.tell() + prod(shape) * kind.itemsize != len(raw):
        raise ValueError("the array has another size than its header says")
    array: npt.NDArray[Any] = np.load(io.BytesIO(raw), allow_pickle=False)
    return array


_HEADERS: Final = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
