"""What is told of an answer: enough to see whether another server's is the same, and nothing that can be read.

An answer is a table: rows, one for each prediction, of values. Each value becomes two cells of 16 bits. Text is hashed
into them. Numbers are laid on two grids that are shifted by half a step against each other, so that two numbers that
are closer than half a step share a cell of one grid at least, wherever the borders lie. The cells are hidden by a
stream that only the key and the request give: the same number in answers to two requests looks different.
"""

import base64
import hashlib
import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MOST_ROWS = 256
MOST_VALUES = 2048
"""Of one answer; what is beyond is not looked at."""

REQUEST_BYTES, FORM_BYTES = 12, 6
CELL_BITS = 16

NOISE = 1e-5
"""By which share floating-point numbers may differ where no tolerance is set: other libraries, other processors."""
_SMALLEST = 1e-9
"""Around zero a share has no meaning: there it is a share of this."""

_CELLS = 1 << CELL_BITS

_NESTED = frozenset({dict, list, tuple})

Values = list[Any]
Pair = tuple[int, int]
Grid = Callable[[float], float]
"""Where a number lies, in steps of the grid."""


@dataclass(frozen=True)
class Fingerprint:
    """One answer, as it is told."""

    form: str
    """Names and lengths: answers of another form have nothing to compare."""
    rows: int
    """How many predictions; 0 for an answer that is none."""
    cells: str
    """Two cells per value, row by row."""


NO_ANSWER = Fingerprint("", 0, "")
"""Of a request that was refused, or failed."""


def grid_of(tolerance: float | None) -> Grid | None:
    """The grid on which numbers count as the same; None: only where they are noise of floating-point numbers."""
    if tolerance is None:
        return None
    step = 2 * tolerance
    return lambda number: number / step


def take(key: bytes, request: bytes, body: bytes, grid: Grid | None) -> Fingerprint:
    """The fingerprint of one answer to one request."""
    told, rows, values = _read(body)
    form = hashlib.blake2b(told.encode("utf-8", "surrogatepass"), key=key, digest_size=FORM_BYTES).digest()
    width = len(values) // rows
    kept = max(1, min(rows, MOST_ROWS, MOST_VALUES // max(width, 1)))
    cells = [cell for value in values[: min(kept * width, MOST_VALUES)] for cell in _cells(value, grid)]
    packed = struct.pack(f"<{len(cells)}H", *cells)
    hidden = _hidden(packed, hashlib.shake_256(key + request).digest(len(packed)))
    return Fingerprint(_text(form), kept, _text(hidden))


def _hidden(packed: bytes, stream: bytes) -> bytes:
    """The cells, readable for nobody without the stream."""
    both = int.from_bytes(packed, "little") ^ int.from_bytes(stream, "little")
    return both.to_bytes(len(packed), "little")


def _read(body: bytes) -> tuple[str, int, Values]:
    """Form, rows and values of an answer; of one that is no JSON, or too deep, only whether it is the same."""
    try:
        content, rows, values = _table(json.loads(body))
        return _form(content), rows, values
    except (ValueError, RecursionError):
        return "", 1, [hashlib.sha256(body).hexdigest()]


def _table(told: Any) -> tuple[Any, int, Values]:  # noqa: ANN401 - any JSON
    """What was predicted, and its values by prediction where the answer tells them apart, else all in one row."""
    if isinstance(told, dict) and isinstance(told.get("outputs"), list):
        return _outputs(told["outputs"])
    if isinstance(told, dict) and "predictions" in told:
        return _predictions(told["predictions"])
    return told, 1, _values(told)


def _predictions(content: Any) -> tuple[Any, int, Values]:  # noqa: ANN401 - any JSON
    """Of MLflow's own form of an answer: one prediction per item."""
    values = _values(content)
    if isinstance(content, list) and content and (values is content or len({len(_values(it)) for it in content}) == 1):
        return content, len(content), values
    return content, 1, values


def _outputs(outputs: list[Any]) -> tuple[Any, int, Values]:
    """Of the Open Inference Protocol: one prediction per item of every output's first dimension.

    Identity and version in the answer are left out: they differ by nature.
    """
    content = [_output(output) for output in outputs]
    columns = [_values(data) for _, _, data in content]
    lengths = {shape[0] if isinstance(shape, list) and shape else None for _, shape, _ in content}
    length = lengths.pop() if len(lengths) == 1 else None
    if type(length) is not int or length < 1 or any(not column or len(column) % length for column in columns):
        return content, 1, [value for column in columns for value in column]
    if len(columns) == 1:
        return content, length, columns[0]
    parts = [(column, len(column) // length) for column in columns]
    by_row = (column[row * width : (row + 1) * width] for row in range(length) for column, width in parts)
    return content, length, [value for part in by_row for value in part]


def _output(output: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401 - any JSON
    """Name, shape and data of one output."""
    if not isinstance(output, dict):
        return None, None, output
    return output.get("name"), output.get("shape"), output.get("data")


def _values(content: Any) -> Values:  # noqa: ANN401 - any JSON
    """All that is no list and no object, in order; a list of such is returned as it is."""
    if isinstance(content, dict):
        return [value for name in sorted(content) for value in _values(content[name])]
    if not isinstance(content, list):
        return [content]
    return content if _is_flat(content) else [value for item in content for value in _values(item)]


def _is_flat(content: list[Any]) -> bool:
    """Whether a list holds no further ones. Of the types, because a batch is long and has few."""
    return _NESTED.isdisjoint(map(type, content))


def _form(content: Any) -> str:  # noqa: ANN401 - any JSON
    """Names, lengths and nesting, without the values."""
    if isinstance(content, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_form(content[name])}" for name in sorted(content)) + "}"
    if isinstance(content, tuple):
        name, shape, data = content
        return f"({json.dumps(name)},{json.dumps(shape)},{_form(data)})"
    if isinstance(content, list):
        return f"[{len(content)}]" if _is_flat(content) else "[" + ",".join(map(_form, content)) + "]"
    return ""


def _cells(value: Any, grid: Grid | None) -> Pair:  # noqa: ANN401 - any value of JSON
    """A value's cells: a number's on the two grids; of labels, and whole numbers without a tolerance, a hash."""
    if type(value) is float or (grid is not None and type(value) is int):
        place = _place(value, grid)
        if place is not None:
            # Not on a border at zero and at whole steps, where many numbers lie.
            return math.floor(place + 0.25) % _CELLS, math.floor(place + 0.75) % _CELLS
    return _hashed_label(value) if type(value) is int else _hashed(value)


def _place(number: float, grid: Grid | None) -> float | None:
    """Where a number lies, in steps; None of what lies nowhere."""
    try:
        place = grid(number) if grid else math.asinh(number / _SMALLEST) / (2 * NOISE)
    except OverflowError:
        return None
    return place if math.isfinite(place) else None


def _hashed(value: Any) -> Pair:  # noqa: ANN401 - any value of JSON
    """The two cells of what is the same or not."""
    digest = hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest[:2], "little"), int.from_bytes(digest[2:], "little")


_hashed_label = lru_cache(maxsize=1024)(_hashed)
"""Of whole numbers: a classifier answers with few."""


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
