"""Reads Gateways and their classes, each at most once in some seconds however many routes there are."""

from collections.abc import Callable
from typing import Any, Protocol

from modelyard.core.gateway import VOUCHED_FOR, Gateway, Listener, ReadGateway
from modelyard.core.plan import Failure, Manifest, ObjectRef
from modelyard.kube.errors import ApiError, Forbidden
from modelyard.kube.resources import GATEWAY_CLASSES, GATEWAYS, Resource

KEPT_SECONDS = 10.0
"""How old an answer may be: a Gateway changes rarely, and a route that waits for it asks again."""
_MOST_KEPT = 1000

Answer = Gateway | Failure | None


class Reader(Protocol):
    """What reads one object."""

    async def get(self, ref: ObjectRef) -> Manifest | None:
        """The object, or None; raises ApiError."""
        ...


class GatewayReader:
    """Answers from memory while an answer is new enough."""

    def __init__(self, objects: Reader, clock: Callable[[], float]) -> None:
        self._objects = objects
        self._clock = clock
        self._kept: dict[ReadGateway, tuple[float, Answer]] = {}

    async def read(self, question: ReadGateway) -> Answer:
        """The Gateway, None where there is none, or why it cannot be read."""
        kept = self._kept.get(question)
        if kept and self._clock() - kept[0] < KEPT_SECONDS:
            return kept[1]
        answer: Answer
        try:
            answer = await self._read(question)
        except ApiError as error:
            # What was true a moment ago is better than nothing: rollouts are decided on it.
            name = f"Gateway {question.namespace}/{question.name}"
            answer = kept[1] if kept else Failure("GatewayUnreadable", f"{name}: {error.message}")
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[question] = (self._clock(), answer)
        return answer

    async def _read(self, question: ReadGateway) -> Gateway | None:
        found = await self._objects.get(_ref(GATEWAYS, question.namespace, question.name))
        if found is None:
            return None
        return _gateway(found, await self._features(str(found["spec"]["gatewayClassName"])))

    async def _features(self, class_name: str) -> frozenset[str] | None:
        """What the class lists. A role for some namespaces cannot reach what belongs to the whole cluster."""
        try:
            found = await self._objects.get(_ref(GATEWAY_CLASSES, "", class_name))
        except Forbidden:
            return None
        listed = ((found or {}).get("status") or {}).get("supportedFeatures") or []
        return frozenset(_feature(item) for item in listed) or None


def _gateway(manifest: Manifest, features: frozenset[str] | None) -> Gateway:
    addresses = (manifest.get("status") or {}).get("addresses") or []
    return Gateway(
        class_name=str(manifest["spec"]["gatewayClassName"]),
        addresses=tuple(str(item.get("value")) for item in addresses if item.get("value")),
        listeners=tuple(
            Listener(str(item["protocol"]), int(item["port"]), str(item.get("hostname") or ""))
            for item in manifest["spec"].get("listeners") or []
        ),
        features=features,
        vouched_for=_vouched_for(manifest),
    )


def _vouched_for(manifest: Manifest) -> frozenset[str]:
    """The annotation's words."""
    text = ((manifest.get("metadata") or {}).get("annotations") or {}).get(VOUCHED_FOR) or ""
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def _feature(item: Any) -> str:  # noqa: ANN401 - an object with a name; releases before 1.3 wrote the name alone
    return str(item.get("name")) if isinstance(item, dict) else str(item)


def _ref(resource: Resource, namespace: str, name: str) -> ObjectRef:
    return ObjectRef(resource.api_version, resource.kind, namespace, name)
