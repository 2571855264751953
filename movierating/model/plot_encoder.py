"""The plot encoder: it turns a plot in one of 16 languages into a vector of its meaning.

The encoder is Google's Universal Sentence Encoder (multilingual, version 3). Plots with a similar
meaning get similar vectors. Training and serving use the same files, so they get the same vectors.

The text is split into pieces (a SentencePiece unigram model): of all splits, the one with the
largest sum of scores is chosen. The table has one row of numbers per piece; a neural network in
ONNX format combines the rows of a text into one vector.

The files hold 80 MB, but a process needs half of that: the table stays on the disk, and
only the rows of the pieces in a text are read. The 128,000 pieces are in a trie of 0.4 MB.
"""

import os
import unicodedata
import weakref
from array import array
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Final, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from movierating.errors import ExplainedError
from movierating.model.arrays import read_arrays
from movierating.model.onnx_model import Graph, GraphError
from movierating.model.plot_weights import DIMENSIONS

Vectors = npt.NDArray[np.float16]

# The languages for which the encoder was trained, as TMDB's codes.
LANGUAGES: Final = frozenset(
    {"ar", "cn", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"}
)
NETWORK_NAME: Final = "plot_encoder.onnx"
TABLE_NAME: Final = "plot_encoder_table.npy"
PIECES_NAME: Final = "plot_encoder_pieces.marisa"
NUMBERS_NAME: Final = "plot_encoder_numbers.npz"
_NUMBERS: Final = ("rows", "scores", "scale", "low")
_MAX_NUMBERS_BYTES: Final = 16_000_000  # decompressed; 128,000 pieces need 1 MB
ENCODER_FILES: Final = (NETWORK_NAME, TABLE_NAME, PIECES_NAME, NUMBERS_NAME)

# Pieces per run of the network. A longer text is encoded in parts, so that memory stays limited.
_PART_PIECES: Final = 256
_UNKNOWN, _BEGIN, _END = 0, 1, 2  # rows of the table that are no pieces of text
_LONGEST_PIECE: Final = 16  # characters
_UNKNOWN_PENALTY: Final = 10.0  # as in SentencePiece
_SPACE: Final = "▁"  # how SentencePiece writes a space


_BROKEN: Final = (OSError, EOFError, ValueError, KeyError, RuntimeError, BadZipFile, GraphError)


class EncoderFilesError(ExplainedError, ValueError):
    """A file of the plot encoder is missing or does not hold what it should."""


class _Table:
    """The rows of numbers of the pieces, read from the disk one by one.

    A memory-mapped file would count as memory of the process: each read maps the pages around it.
    The system keeps rows that were read in its cache, so reading them again takes a microsecond.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            np.lib.format.read_magic(stream)
            shape, _, kind = np.lib.format.read_array_header_1_0(stream)
            self._start = stream.tell()
        if shape[1:] != (DIMENSIONS,) or kind != np.uint8:
            raise ValueError("the table has another form")
        self._count: int = shape[0]
        # Open for as long as the encoder is used, even if the file is deleted meanwhile.
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def rows(self, numbers: Iterable[int]) -> npt.NDArray[np.uint8]:
        """Read some rows, shape (numbers, 512)."""
        offsets = (self._start + DIMENSIONS * row for row in numbers)
        raw = [os.pread(self._file, DIMENSIONS, offset) for offset in offsets]
        return np.frombuffer(b"".join(raw), np.uint8).reshape(-1, DIMENSIONS)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count


class PlotEncoder:
    """Turns texts into vectors of length 1; the same text always gets the same vector."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Open the encoder's files.

        Args:
            files: The path of each file in `ENCODER_FILES`.

        Raises:
            EncoderFilesError: A file is missing or does not hold what it should.
        """
        from marisa_trie import Trie

        try:
            self._network = Graph(files[NETWORK_NAME].read_bytes())
            self._table = _Table(files[TABLE_NAME])
            self._trie = Trie().load(str(files[PIECES_NAME]))
            numbers = read_arrays(files[NUMBERS_NAME].read_bytes(), _NUMBERS, _MAX_NUMBERS_BYTES)
            # Not NumPy arrays: reading one number from those takes three times as long.
            self._rows = array("i", numbers["rows"].tobytes())
            self._scores = array("f", numbers["scores"].tobytes())
            self._scale, self._low = numbers["scale"], numbers["low"]
        except _BROKEN as error:
            raise EncoderFilesError("the plot encoder's files cannot be opened") from error
        if not len(self._trie) == len(self._rows) == len(self._scores) <= len(self._table):
            raise EncoderFilesError("the plot encoder's files do not belong together")
        self._unknown_score = min(self._scores) - _UNKNOWN_PENALTY

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Open the encoder whose files are in one folder under their own names."""
        return cls({name: folder / name for name in ENCODER_FILES})

    def encode(self, texts: Iterable[str]) -> Vectors:
        """Return the vectors of texts, float16 of shape (texts, 512)."""
        # One text per run: in a run of several, a vector could depend on the other texts.
        vectors = [self._vector(text) for text in texts]
        return np.asarray(vectors, np.float16).reshape(len(vectors), DIMENSIONS)

    def _vector(self, text: str) -> npt.NDArray[np.float32]:
        rows = [_BEGIN, *self.split(text), _END]
        parts = [rows[at : at + _PART_PIECES] for at in range(0, len(rows), _PART_PIECES)]
        if len(parts) == 1:
            return self._network.predict(self._inputs(rows))
        mean = sum(len(part) * self._network.predict(self._inputs(part)) for part in parts)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def _inputs(self, rows: list[int]) -> npt.NDArray[np.float32]:
        at = np.asarray(rows)
        block = at % len(self._scale)  # the table's numbers are scaled in blocks of rows
        inputs: npt.NDArray[np.float32] = self._table.rows(rows) * self._scale[block, None]
        inputs += self._low[block, None]
        return inputs

    def split(self, text: str) -> list[int]:
        """Split a text into pieces, and return the row of each piece in the table.

        The method is the Viterbi algorithm: for each position, keep the best split up to it.
        """
        line = "".join(_SPACE + word for word in unicodedata.normalize("NFKC", text).split())
        best = [0.0] + [-inf] * len(line)
        last = [(0, _UNKNOWN)] * (len(line) + 1)  # where the last piece begins, and its row
        for start in range(len(line)):
            for end, row, score in self._pieces_at(line, start):
                if best[start] + score > best[end]:
                    best[end] = best[start] + score
                    last[end] = start, row
        rows, end = [], len(line)
        while end:
            end, row = last[end]
            rows.append(row)
        return rows[::-1]

    def _pieces_at(self, line: str, start: int) -> Iterator[tuple[int, int, float]]:
        """Yield the end, the row and the score of each piece that begins at a position."""
        is_known = False
        ahead = line[start : start + _LONGEST_PIECE]
        for piece, key in self._trie.iter_prefixes_with_ids(ahead):
            end = start + len(piece)
            is_known |= end == start + 1
            yield end, self._rows[key], self._scores[key]
        if not is_known:  # any character can be a piece, so that every text can be split
            yield start + 1, _UNKNOWN, self._unknown_score
