"""What the administrator decides about the pods of a kind: checked before they are made, and merged last."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Self

from pydantic import Field, model_validator

from modelyard.api.base import FreeObject, KubeModel, PodTemplate, Quantity, ResourceRequirements
from modelyard.core.matching import amount

_SHAREABLE = ("cpu", "memory", "ephemeral-storage")
"""Resources that a container without a limit may use without end; of others it gets only what it asks for."""
_TEMPLATE = "spec.podTemplate.spec"

Asked = tuple[str, str, Any]
"""A field's path, the resource that it asks for, and how much."""


class PodPolicy(KubeModel):
    """The administrator's settings for the pods of one kind."""

    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels that every node has to have."""
    tolerations: list[FreeObject] = Field(default_factory=list)
    """Taints that every pod tolerates beside those of its template."""
    service_account_name: str = ""
    """The account of every pod; the template's choice when empty."""
    service_accounts: list[str] | None = None
    """The accounts that templates may name; any when None."""
    priority_class_name: str = ""
    """The priority class of every pod; the template's choice when empty."""
    runtime_class_name: str = ""
    """The runtime class of every pod; the template's choice when empty."""
    max_resources: dict[str, Quantity] = Field(default_factory=dict)
    """What one container may ask for and use at most, by resource."""

    @model_validator(mode="after")
    def _has_quantities(self) -> Self:
        for resource, most in self.max_resources.items():
            if not isinstance(amount(most), Fraction) or amount(most) < 0:
                raise ValueError(f"maxResources.{resource}: {most!r} is not a quantity; write such as 2 or 16Gi")
        return self


NO_SETTINGS = PodPolicy()
"""An administrator who decided nothing."""


def problems_of(policy: PodPolicy, template: PodTemplate | None, asked: Iterable[Asked]) -> list[str]:
    """What the administrator does not allow, each with its field and the cure; `asked` beside the template's fields."""
    spec = (template.spec if template else None) or {}
    found = [*_account_problems(policy, spec), *_excess(policy, asked)]
    for path, holder in _holders(spec):
        found += _excess(policy, _asked(f"{path}.resources", holder.get("resources")))
        found += _claim_problems(policy, path, holder)
    return found


def asked_of(path: str, resources: ResourceRequirements | None) -> list[Asked]:
    """What a field of this path asks for."""
    return _asked(path, resources.model_dump(exclude_none=True) if resources else {})


def enforced(policy: PodPolicy, pod: dict[str, Any]) -> dict[str, Any]:
    """The pod spec with the administrator's settings, which win over whatever it says."""
    spec = dict(pod)
    if policy.node_selector:
        spec["nodeSelector"] = _fields(spec.get("nodeSelector")) | policy.node_selector
    if policy.tolerations:
        given = [item for item in _objects(spec.get("tolerations")) if item not in policy.tolerations]
        spec["tolerations"] = [*given, *policy.tolerations]
    if policy.service_account_name:
        if spec.get("serviceAccountName") != policy.service_account_name:
            spec.setdefault("automountServiceAccountToken", False)
        spec["serviceAccountName"] = policy.service_account_name
    if policy.priority_class_name:
        spec["priorityClassName"] = policy.priority_class_name
    if policy.runtime_class_name:
        spec["runtimeClassName"] = policy.runtime_class_name
    for field in ("initContainers", "containers"):
        if spec.get(field):
            spec[field] = [_capped(policy, container) for container in spec[field]]
    return _lowered(policy, spec)


def _account_problems(policy: PodPolicy, spec: dict[str, Any]) -> Iterator[str]:
    """An account that templates may not name."""
    account = spec.get("serviceAccountName")
    if account and policy.service_accounts is not None and account not in policy.service_accounts:
        allowed = ", ".join(policy.service_accounts) or "none"
        yield (
            f"{_TEMPLATE}.serviceAccountName: {account} is not one of the service accounts that pods may name here "
            f"({allowed}); name one of those, or remove it"
        )


def _holders(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The template's pod and containers: all that may ask for resources."""
    yield _TEMPLATE, spec
    for field in ("initContainers", "containers"):
        for container in _objects(spec.get(field)):
            yield f"{_TEMPLATE}.{field}[{container.get('name', '?')}]", container


def _asked(path: str, resources: Any) -> list[Asked]:  # noqa: ANN401 - any JSON
    """Each amount of a container's or pod's resources."""
    return [
        (f"{path}.{field}.{resource}", resource, given)
        for field in ("requests", "limits")
        for resource, given in _fields(_fields(resources).get(field)).items()
    ]


def _excess(policy: PodPolicy, asked: Iterable[Asked]) -> Iterator[str]:
    """Amounts above the administrator's limits."""
    for path, resource, given in asked:
        most = policy.max_resources.get(resource)
        if most is not None and not isinstance(amount(given), Fraction):
            yield f"{path}: {given} is no quantity; write such as 2, 500m or {most}"
        elif most is not None and _exceeds(given, most):
            yield f"{path}: {given} is above the administrator's limit of {most}; lower it"


def _claim_problems(policy: PodPolicy, path: str, holder: dict[str, Any]) -> Iterator[str]:
    """Devices by another way than by resources, past the caps."""
    claims = {
        "resourceClaims": holder.get("resourceClaims"),
        "resources.claims": _fields(holder.get("resources")).get("claims"),
    }
    for field in (field for field, given in claims.items() if policy.max_resources and given):
        yield f"{path}.{field}: devices by claims are not allowed where the administrator limits resources; remove it"


def _exceeds(asked: Any, most: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a quantity is above a cap. One that cannot be read is: the API server may read it in its own way."""
    given = amount(asked)
    return not isinstance(given, Fraction) or bool(given > amount(most))


def _capped(policy: PodPolicy, container: dict[str, Any]) -> dict[str, Any]:
    """The container within the caps, with a limit where it would have none."""
    lowered = _lowered(policy, container)
    missing = {
        resource: most
        for resource, most in policy.max_resources.items()
        if resource in _SHAREABLE and resource not in _fields(_fields(lowered.get("resources")).get("limits"))
    }
    if not missing:
        return lowered
    resources = _fields(lowered.get("resources"))
    # Without a request of its own it would be given the limit's, and wait for a node with that much room.
    requests = dict.fromkeys(missing, "0") | _fields(resources.get("requests"))
    return lowered | {
        "resources": resources | {"requests": requests, "limits": missing | _fields(resources.get("limits"))}
    }


def _lowered(policy: PodPolicy, holder: dict[str, Any]) -> dict[str, Any]:
    """The pod or container with no request and no limit above a cap."""
    resources = dict(_fields(holder.get("resources")))
    for field in ("requests", "limits"):
        amounts = _fields(resources.get(field))
        high = {name: most for name, most in policy.max_resources.items() if _exceeds(amounts.get(name, "0"), most)}
        if high:
            resources[field] = amounts | high
    return holder | {"resources": resources} if resources else holder


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """The object that should be here; an empty one in place of anything else, which the API server refuses."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """The objects of the list that should be here."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
