"""Reading Gateways: what is told of them, and how seldom the API server is asked."""

import asyncio

import pytest

from modelyard.core.gateway import VOUCHED_FOR, Gateway, Listener, ReadGateway
from modelyard.core.plan import Failure, Manifest, ObjectRef
from modelyard.kube.errors import ApiError, Forbidden
from modelyard.kube.gateways import KEPT_SECONDS, GatewayReader

WEB: Manifest = {
    "spec": {
        "gatewayClassName": "traefik",
        "listeners": [
            {"name": "web", "protocol": "HTTP", "port": 80},
            {"name": "tls", "protocol": "HTTPS", "port": 443, "hostname": "*.example.org"},
        ],
    },
    "status": {"addresses": [{"type": "IPAddress", "value": "10.0.0.9"}, {"type": "Hostname"}]},
}

MIRRORING = ("HTTPRouteRequestMirror", "HTTPRouteRequestPercentageMirror")


def listing(*features: object) -> Manifest:
    return {"status": {"supportedFeatures": list(features)}}


class Objects:
    """The API server with one Gateway and its class; what is an error is raised."""

    def __init__(self, gateway: Manifest | ApiError | None, klass: Manifest | ApiError | None = None) -> None:
        self.by_kind = {"Gateway": gateway, "GatewayClass": klass}
        self.asked: list[str] = []

    async def get(self, ref: ObjectRef) -> Manifest | None:
        self.asked.append(f"{ref.kind} {ref.namespace}/{ref.name}")
        found = self.by_kind[ref.kind]
        if isinstance(found, ApiError):
            raise found
        return found


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def read(objects: Objects, clock: Clock | None = None, times: int = 1) -> Gateway | Failure | None:
    reader = GatewayReader(objects, clock or Clock())

    async def several() -> Gateway | Failure | None:
        for _ in range(times):
            answer = await reader.read(ReadGateway("infra", "web"))
        return answer

    return asyncio.run(several())


def test_a_gateway_is_told_with_its_listeners_and_what_its_class_can_do() -> None:
    found = read(Objects(WEB, listing({"name": "HTTPRoutePathRewrite"}, "HTTPRouteRequestMirror")))
    assert found == Gateway(
        class_name="traefik",
        addresses=("10.0.0.9",),
        listeners=(Listener("HTTP", 80), Listener("HTTPS", 443, "*.example.org")),
        features=frozenset({"HTTPRoutePathRewrite", "HTTPRouteRequestMirror"}),
    )


def test_a_class_that_may_not_be_read_or_lists_nothing_leaves_the_features_open() -> None:
    for klass in (None, listing(), Forbidden(403, "Forbidden", "no")):
        found = read(Objects(WEB, klass))
        assert isinstance(found, Gateway)
        assert found.features is None


@pytest.mark.parametrize(
    ("annotation", "vouched_for"),
    [
        ("HTTPRouteRequestMirror", {"HTTPRouteRequestMirror"}),
        (" HTTPRouteRequestMirror, HTTPRouteRequestPercentageMirror,", {*MIRRORING}),
        ("", set()),
        (None, set()),
    ],
)
def test_a_gateway_may_be_vouched_for_by_an_annotation(annotation: str | None, vouched_for: set[str]) -> None:
    annotations = {} if annotation is None else {VOUCHED_FOR: annotation}
    found = read(Objects(WEB | {"metadata": {"annotations": annotations}}, listing()))
    assert isinstance(found, Gateway)
    assert (found.features, found.vouched_for) == (None, vouched_for)


def test_there_may_be_none_or_no_right_to_read_it() -> None:
    assert read(Objects(None)) is None
    refused = read(Objects(Forbidden(403, "Forbidden", "gateways is forbidden")))
    assert isinstance(refused, Failure)
    assert refused.message == "Gateway infra/web: gateways is forbidden"


def test_it_is_read_once_however_often_it_is_asked_for() -> None:
    objects = Objects(WEB, listing())
    read(objects, times=5)
    assert objects.asked == ["Gateway infra/web", "GatewayClass /traefik"]


def test_what_is_too_old_is_read_again() -> None:
    objects, clock = Objects(None), Clock()
    reader = GatewayReader(objects, clock)

    async def twice() -> Gateway | Failure | None:
        await reader.read(ReadGateway("infra", "web"))
        objects.by_kind["Gateway"] = WEB
        clock.now += KEPT_SECONDS
        return await reader.read(ReadGateway("infra", "web"))

    assert isinstance(asyncio.run(twice()), Gateway)


def test_what_was_read_before_stands_while_the_api_server_does_not_answer() -> None:
    objects, clock = Objects(WEB, listing({"name": "HTTPRouteRequestMirror"})), Clock()
    reader = GatewayReader(objects, clock)

    async def twice() -> tuple[object, object]:
        first = await reader.read(ReadGateway("infra", "web"))
        objects.by_kind["GatewayClass"] = ApiError(503, "ServiceUnavailable", "later")
        clock.now += KEPT_SECONDS
        return first, await reader.read(ReadGateway("infra", "web"))

    first, second = asyncio.run(twice())
    assert isinstance(first, Gateway)
    assert second == first
