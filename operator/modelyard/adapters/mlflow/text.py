"""Everything that MLflow returns was written by somebody else: what is let through, and in what form."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from modelyard.adapters.mlflow.failures import INVALID_RESPONSE, NAME_INVALID, Refused
from modelyard.core.plan import Failure
from modelyard.core.tracking import Pairs

RUN_ID = re.compile(r"[0-9a-f]{32}")
MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
VERSION = re.compile(r"[0-9]{1,18}")
WORKSPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
EXPERIMENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

TAG_KEY_LENGTH = 250
RUN_TAG_LENGTH = 8000
VERSION_TAG_LENGTH = 5000
PARAMETER_LENGTH = 6000
NAME_LENGTH = 500
_CUT = " … [cut by modelyard]"


def matching(pattern: re.Pattern[str], value: object, what: str) -> str:
    """The value, if it is text of that pattern.

    Raises:
        Refused: it is not; MLflow, or something that answers in its place, is not to be trusted.
    """
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    message = f"MLflow answered with {what} {value!r:.100}, which is not one: check what answers at the tracking URI."
    raise Refused(Failure(INVALID_RESPONSE, one_line(message)))


def checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    """A value of a question, if it is of that pattern: it came from an object's status, which people can edit.

    Raises:
        Refused: it is not, and cannot name anything in MLflow.
    """
    if pattern.fullmatch(value):
        return value
    raise Refused(Failure(NAME_INVALID, one_line(f"{value!r:.100} is not {what} of MLflow."), is_transient=False))


def quoted(value: str) -> str:
    """The value as a literal of MLflow's filter language, which knows no escapes.

    Raises:
        Refused: no literal can hold it.
    """
    if has_control_characters(value) or ("'" in value and '"' in value):
        message = (
            f"{value!r:.100} cannot be searched for in MLflow: leave out control characters and use one kind of quotes."
        )
        raise Refused(Failure(NAME_INVALID, one_line(message), is_transient=False))
    return f'"{value}"' if "'" in value else f"'{value}'"


def has_control_characters(value: str) -> bool:
    """Whether any character is one that nobody sees: control, format, surrogate, private, unassigned."""
    return any(unicodedata.category(character).startswith("C") for character in value)


def one_line(text: str, length: int = 500) -> str:
    """The text fit for a condition's message: visible characters on one line, cut at `length`."""
    visible = "".join(_visible(character) for character in text[: 20 * length])
    line = " ".join(visible.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def cut(value: str, length: int) -> str:
    """The value within MLflow's limit; says so where something is missing."""
    return value if len(value) <= length else value[: length - len(_CUT)] + _CUT


def tags_within(tags: Pairs, length: int) -> dict[str, str]:
    """Tags that MLflow accepts: keys and values cut to its limits; of two with one key the later counts."""
    return {key[:TAG_KEY_LENGTH]: cut(value, length) for key, value in tags}


def safe_pairs(pairs: Iterable[tuple[object, object]], length: int) -> Iterator[tuple[str, str]]:
    """Foreign tags in order of their names, on one line each; what is not text is left out."""
    texts = [(key, value) for key, value in pairs if isinstance(key, str) and isinstance(value, str)]
    for key, value in sorted(texts):
        yield one_line(key, TAG_KEY_LENGTH), one_line(value, length)


def _visible(character: str) -> str:
    return " " if unicodedata.category(character).startswith("C") else character
