"""Workspaces of MLflow: parts of one server that share nothing, neither experiments nor registered models."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from modelyard.core.plan import Manifest


class Workspaces(StrEnum):
    """Which of them the objects of a namespace are kept in."""

    NONE = "None"
    """None is named: all namespaces share what MLflow answers with then."""
    PER_NAMESPACE = "PerNamespace"
    """The one with the namespace's name."""

    def of(self, namespace: str) -> str:
        """The workspace of this namespace; empty: none is named."""
        return namespace if self is Workspaces.PER_NAMESPACE else ""

    def beside(self, namespace: str, items: Iterable[Manifest]) -> Iterator[Manifest]:
        """Those of the objects whose models are the same as in this namespace when their names are."""
        return (item for item in items if self.of(item["metadata"]["namespace"]) == self.of(namespace))
