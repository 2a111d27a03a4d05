"""The digits that are sent to the model: as pictures on a terminal, as a request, and as the answer to it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "digits.json"
SIZE = 8
SHADES = " .:-=+*#%@"
_DARKEST = 16
_PICTURES_A_LINE = 4


@dataclass(frozen=True)
class Digit:
    """One scanned digit."""

    label: int
    """What its writer meant."""
    pixels: tuple[int, ...]
    """64 grey values from 0 to 16, row by row."""


@dataclass(frozen=True)
class Answer:
    """What a model server said of some digits."""

    version: str
    """The version of the registered model that answered."""
    predictions: tuple[int, ...]


class BadAnswerError(Exception):
    """An answer that is not one of the Open Inference Protocol."""


def load() -> list[Digit]:
    """The digits beside this file; `pick_digits` says where they come from."""
    return [Digit(item["label"], tuple(item["pixels"])) for item in json.loads(FILE.read_text("utf-8"))]


def request_for(digits: Sequence[Digit]) -> dict[str, Any]:
    """A request of the Open Inference Protocol (V2) for these digits."""
    tensor = {
        "name": "images",
        "shape": [len(digits), SIZE * SIZE],
        "datatype": "FP64",
        # Says that the tensor is to reach the model as a NumPy array.
        "parameters": {"content_type": "np"},
        "data": [grey for digit in digits for grey in digit.pixels],
    }
    return {"inputs": [tensor]}


def as_json(request: dict[str, Any]) -> str:
    """The request as it is sent."""
    return json.dumps(request)


def parse_answer(text: str) -> Answer:
    """The answer in a response's body; raises BadAnswerError."""
    try:
        body = json.loads(text)
        return Answer(str(body["model_version"]), tuple(int(value) for value in body["outputs"][0]["data"]))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BadAnswerError(f"no answer of the Open Inference Protocol ({error!r}): {text[:300]}") from error


def draw(digit: Digit) -> list[str]:
    """The digit as eight lines, two characters a pixel."""
    rows = [digit.pixels[start : start + SIZE] for start in range(0, SIZE * SIZE, SIZE)]
    return ["".join(_shade(grey) * 2 for grey in row) for row in rows]


def gallery(digits: Sequence[Digit], answer: Answer) -> list[str]:
    """Lines that show the digits, a few side by side, each above what was predicted for it."""
    panels = [
        [*draw(digit), caption(digit, prediction)] for digit, prediction in zip(digits, answer.predictions, strict=True)
    ]
    lines = []
    for start in range(0, len(panels), _PICTURES_A_LINE):
        group = panels[start : start + _PICTURES_A_LINE]
        lines += ["  ".join(f"{part:<16}" for part in row).rstrip() for row in zip_longest(*group, fillvalue="")]
        lines.append("")
    return lines


def caption(digit: Digit, prediction: int) -> str:
    """What stands below a picture."""
    return f"{digit.label} read as {prediction}" + ("" if prediction == digit.label else "  (!)")


def _shade(grey: int) -> str:
    return SHADES[min(grey, _DARKEST) * (len(SHADES) - 1) // _DARKEST]
