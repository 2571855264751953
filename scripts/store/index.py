"""Arrow's columns as whole numbers, to sort and compare rows by."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]


def ints(table: pa.Table, name: str, missing: int = 0) -> Ints:
    """A column of numbers, moments (milliseconds) or days (both since 1970) as integers."""
    column = table[name].combine_chunks()
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    values: Ints = column.cast(pa.int64()).fill_null(missing).to_numpy()
    return values


def is_last(*keys: Ints) -> npt.NDArray[np.bool_]:
    """Whether a row is the last of a run of rows with equal keys."""
    last = np.ones(len(keys[0]), np.bool_)
    last[:-1] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return last
