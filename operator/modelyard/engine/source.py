"""One kind of object that is watched, and whom its events wake."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from modelyard.core.plan import Key, Manifest
from modelyard.kube.resources import Resource


def nobody(_: Manifest) -> Iterable[Key]:
    """Most of what the operator writes concerns only whom it writes it for."""
    return ()


@dataclass(frozen=True)
class Source:
    """Watched from start to end by every replica; there is at most one for each resource."""

    resource: Resource
    label_selector: str | None
    """Applied by the API server: what it leaves out is never sent."""
    wakes: Callable[[Manifest], Iterable[Key]]
    """The objects of ours to look at when this one changes or goes."""
    is_told_to: Callable[[Manifest], Iterable[Key]] = nobody
    """Others of ours that want to know even of what the operator itself wrote to this one."""
    is_optional: bool = False
    """Whether a cluster may do without this kind; it may be installed, or removed, while the operator runs."""
