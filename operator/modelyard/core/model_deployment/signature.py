"""What changes of a model's signature break those who ask it: a client's requests and what it reads of the answers."""

from collections.abc import Iterator, Sequence

from modelyard.core.model_card import Column, Signature

_WIDER = frozenset({("integer", "long"), ("integer", "double"), ("float", "double")})
"""Types of inputs that MLflow converts by itself: what a client sent before is still taken."""

_NAMED = 5
"""How many changes of one kind are named; the others are counted."""


def breaking_changes(old: Signature | None, new: Signature | None) -> list[str]:
    """The changes that break clients of `old`, each in words; nothing where there was no signature before."""
    if old is None:
        return []
    if new is None:
        return ["the signature is gone"]
    return [*_told(_input_changes(old, new)), *_told(_output_changes(old, new))]


def _input_changes(old: Signature, new: Signature) -> Iterator[str]:
    """Inputs that are gone, are of another type, or are asked for now."""
    before, now = _by_name(old.inputs), _by_name(new.inputs)
    for name, column in before.items():
        if name not in now:
            yield f"input {name} is gone"
        elif not _takes(now[name].type, column.type):
            yield f"input {name} was {column.type} and is {now[name].type}"
        elif now[name].is_required and not column.is_required:
            yield f"input {name} is required now"
    yield from (f"input {name} is new and required" for name, c in now.items() if name not in before and c.is_required)


def _output_changes(old: Signature, new: Signature) -> Iterator[str]:
    """Outputs that are gone or of another type; further ones break nobody."""
    now = _by_name(new.outputs)
    for name, column in _by_name(old.outputs).items():
        if name not in now:
            yield f"output {name} is gone"
        elif now[name].type != column.type:
            yield f"output {name} was {column.type} and is {now[name].type}"


def _by_name(columns: Sequence[Column]) -> dict[str, Column]:
    """Columns by their names; those without one by their place."""
    return {column.name or f"#{place}": column for place, column in enumerate(columns, start=1)}


def _takes(new: str, old: str) -> bool:
    """Whether an input of the new type takes what was sent as the old one."""
    return new == old or (old, new) in _WIDER


def _told(changes: Iterator[str]) -> list[str]:
    """The first changes, and how many more there are."""
    found = list(changes)
    more = [f"and {len(found) - _NAMED} more changes like these"] if len(found) > _NAMED else []
    return found[:_NAMED] + more
