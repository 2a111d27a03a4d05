"""What is watched, and which keys an event of it wakes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from modelyard.core.plan import Key, Manifest
from modelyard.kube.resources import Resource


@dataclass(frozen=True)
class Source:
    """One resource to watch."""

    resource: Resource
    wakes: Callable[[Manifest], Iterable[Key]]
    """The keys that a change of this object concerns."""
    label_selector: str | None = None
    """Only these are streamed to us: the API server filters."""
    is_optional: bool = False
    """Its CRD may be missing, and may come and go."""
