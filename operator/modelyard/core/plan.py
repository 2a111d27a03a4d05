"""A plan: what one reconcile wants done, as data."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Manifest = dict[str, Any]
"""One Kubernetes object as its JSON."""


class Key(NamedTuple):
    """Names one object of ours: what the work queue holds and what a watch event wakes."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class ObjectRef:
    """Points at one object; with a UID, at that incarnation only."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str | None = None


@dataclass(frozen=True)
class Event:
    """Something a person would want to know about the object, told once per reason and note."""

    reason: str
    note: str
    type: str = "Normal"
    """Normal or Warning."""


@dataclass(frozen=True)
class Failure:
    """The answer to a question that could not be answered."""

    reason: str
    """CamelCase, fit for a condition's reason."""
    message: str
    is_transient: bool = True
    """Whether asking again later, with nothing changed by a person, can help."""


Question = Hashable
"""A request to another system, a frozen dataclass of `core.tracking` or `core.serving`."""

Answers = Mapping[Question, Any]
"""What was asked so far in this reconcile, and what came back: the question's own answer type or a `Failure`."""


@dataclass(frozen=True)
class Plan:
    """What is to be done, in this order: ask, create, apply, delete, write status, tell.

    A plan with questions is not final: the shell answers them and plans again, until none is open.
    """

    questions: tuple[Question, ...] = ()
    create: tuple[Manifest, ...] = ()
    """Objects that are made once and never changed; one that exists already and is ours is as good as made."""
    apply: tuple[Manifest, ...] = ()
    delete: tuple[ObjectRef, ...] = ()
    status: Mapping[str, Any] | None = None
    """The whole new status, or None to leave it."""
    events: tuple[Event, ...] = ()
    """Told only together with a new status, so that what stays the same is not told again."""
    recheck_after: float | None = field(default=None)
    """Seconds until this object wants to be looked at again with nothing having happened."""
