"""Parameters: how they reach the code as they were written, and what about them cannot work.

A value is never part of a command line that a shell reads: it is a variable, an argument of its own, or JSON in a file.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from modelyard.api.training_job import TrainingJobSpec

MOST_BYTES = 128 * 1024
"""Of all parameters as JSON: they travel in one annotation of the pod, and all of those together have 256 KiB."""

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
"""What the kubelet replaces in commands and arguments: $$ by $, $(NAME) by the variable's value."""


def as_json(spec: TrainingJobSpec) -> str:
    """The parameters as the JSON object that the pod finds in /etc/modelyard/parameters.json."""
    return json.dumps({item.name: item.value for item in spec.parameters or []}, sort_keys=True)


def variables(spec: TrainingJobSpec) -> dict[str, str]:
    """PARAM_<NAME> of each parameter, with values that the kubelet hands on as they are."""
    return {variable_of(item.name): literal(item.value) for item in spec.parameters or []}


def variable_of(name: str) -> str:
    """The environment variable of a parameter."""
    return f"PARAM_{name.upper()}"


def literal(value: str) -> str:
    """The value as the kubelet must read it: it expands $(NAME) and reads $$ as $."""
    return value.replace("$", "$$")


def problems_of(spec: TrainingJobSpec) -> list[str]:
    """Why the parameters cannot work."""
    return [*_collisions(spec), *_too_much(spec), *_unknown_references(spec)]


def references(texts: Iterable[str]) -> Iterator[str]:
    """The variables that the kubelet would look for in a command or its arguments."""
    for text in texts:
        yield from (found[1] for found in _REFERENCE.finditer(text) if found[1] is not None)


def _collisions(spec: TrainingJobSpec) -> Iterator[str]:
    """Names that become the same variable."""
    for name, count in Counter(variable_of(item.name) for item in spec.parameters or []).items():
        if count > 1:
            yield (
                f"spec.parameters: several become the variable {name}; give them names that differ in more than case"
            )


def _too_much(spec: TrainingJobSpec) -> Iterator[str]:
    """More text than a pod can carry."""
    size_bytes = len(as_json(spec).encode())
    if size_bytes > MOST_BYTES:
        yield (
            f"spec.parameters: together they take {size_bytes} bytes as JSON, and {MOST_BYTES} are allowed; "
            "put long texts into files of the source"
        )


def _unknown_references(spec: TrainingJobSpec) -> Iterator[str]:
    """A misspelt $(PARAM_…), which the kubelet would hand on as it stands. Keys of envFrom are not known here."""
    known = variables(spec)
    for field, texts in _expanded(spec):
        for name in references(texts):
            if name.startswith("PARAM_") and name not in known:
                yield (
                    f"spec.{field}: $({name}) names no parameter; add it to spec.parameters, or write "
                    f"$$({name}) for the text itself"
                )


def _expanded(spec: TrainingJobSpec) -> Iterator[tuple[str, list[str]]]:
    """Texts in which the kubelet replaces variables that are all known."""
    if not spec.trainer.env_from:
        yield "trainer.command", spec.trainer.command or []
        yield "trainer.args", spec.trainer.args or []
    if spec.prepare:
        yield "prepare.command", spec.prepare.command or []
        yield "prepare.args", spec.prepare.args or []
