"""What core asks of model servers and of the API server beyond its caches."""

from dataclasses import dataclass
from typing import Any, Protocol

from modelyard.api.model_deployment import ProtocolName
from modelyard.core.plan import Failure, ObjectRef


@dataclass(frozen=True)
class AskServer:
    """Whether a model server answers for this version. Answer: `Ready`."""

    url: str
    """The server's base URL, with scheme and port."""
    version: str
    protocol: ProtocolName = "v2"


@dataclass(frozen=True)
class Ready:
    """The server answered that it serves the version."""


@dataclass(frozen=True)
class TryServer:
    """Send a request for a prediction, in the server's own form. Answer: `Predicted`, `NoSuchRequest` or `Failure`.

    A failure that is not transient is the server's word that the model does not answer this request.
    """

    url: str
    """The server's base URL, with scheme and port."""
    body: str
    """JSON in MLflow's form."""
    protocol: ProtocolName = "v2"


@dataclass(frozen=True)
class Predicted:
    """The server answered with predictions."""


@dataclass(frozen=True)
class NoSuchRequest:
    """The server does not take requests of that form."""


@dataclass(frozen=True)
class ReadObject:
    """One object as the API server has it now, past the caches. Answer: its manifest, or None.

    For the rare decisions that a cache a moment too old would get wrong.
    """

    ref: ObjectRef


@dataclass(frozen=True)
class ReadWarning:
    """The newest Warning among the Events about one object. Answer: `Warned`, or None.

    For what no status tells, once something has stood for a while: Events are read from the API server's store.
    """

    ref: ObjectRef
    """With its UID, where that is known."""


@dataclass(frozen=True)
class Warned:
    """What an Event of type Warning says."""

    reason: str
    note: str


class ModelServers(Protocol):
    """Model servers, whichever protocol they speak."""

    async def ask(self, question: AskServer | TryServer) -> Ready | Predicted | NoSuchRequest | Failure:
        """Answer within seconds; never raises for what the server does wrong."""
        ...


def is_owned_by(manifest: dict[str, Any], uid: str) -> bool:
    """Whether the object's controller is the one with this UID: labels can be copied, owner references say it."""
    references = manifest.get("metadata", {}).get("ownerReferences") or []
    return any(reference.get("controller") and reference.get("uid") == uid for reference in references)
