"""What stands beside the servers: an autoscaler where one is asked for, and a budget for drains of several pods.

The autoscaler's target is the ModelDeployment itself: it writes spec.replicas, which the operator then carries out as
if a person had. So nobody fights over the replicas of what runs below, and a canary's share follows.
"""

from modelyard.api import names
from modelyard.api.autoscaling import Autoscaling
from modelyard.core import metadata
from modelyard.core.conditions import find
from modelyard.core.model_deployment import services
from modelyard.core.model_deployment.applying import apply_if_needed
from modelyard.core.model_deployment.backend import own
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.plan import Manifest, ObjectRef

AUTOSCALER, BUDGET = "HorizontalPodAutoscaler", "PodDisruptionBudget"
KINDS = frozenset({AUTOSCALER, BUDGET})
CONDITION = "Autoscaled"


def settle(draft: Draft) -> None:
    """Have them as they are wanted, and say in Autoscaled who decides how many pods there are.

    Raises:
        Stalled: an object of that name belongs to someone else.
    """
    scaling = draft.spec.autoscaling
    _want(draft, AUTOSCALER, autoscaler(draft.resource, scaling) if scaling else None)
    _want(draft, BUDGET, budget(draft.resource) if draft.spec.replicas > 1 else None)
    if scaling:
        _say(draft, scaling)
    else:
        draft.conditions.drop(CONDITION)


def autoscaler(resource: Manifest, scaling: Autoscaling) -> Manifest:
    """Scales the ModelDeployment by the CPU of its stable pods, which its scale subresource selects."""
    target = {"type": "Utilization", "averageUtilization": scaling.target_cpu_utilization_percentage}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": AUTOSCALER,
        "metadata": metadata.child_metadata(resource, resource["metadata"]["name"]),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": names.API_VERSION,
                "kind": resource["kind"],
                "name": resource["metadata"]["name"],
            },
            "minReplicas": scaling.min_replicas,
            "maxReplicas": scaling.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def budget(resource: Manifest) -> Manifest:
    """Lets a drain of nodes take one stable pod at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": BUDGET,
        "metadata": metadata.child_metadata(resource, resource["metadata"]["name"]),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": services.stable_selector(resource)}},
    }


def _want(draft: Draft, kind: str, manifest: Manifest | None) -> None:
    """Have the object of this kind, or none."""
    live = own(kind, draft.resource, draft.observed)
    if manifest is not None:
        apply_if_needed(draft, manifest)
    elif live and "deletionTimestamp" not in live["metadata"]:
        meta = live["metadata"]
        draft.delete.append(ObjectRef(live["apiVersion"], kind, draft.namespace, meta["name"], meta["uid"]))


def _say(draft: Draft, scaling: Autoscaling) -> None:
    """What the autoscaler does, in its own words where it cannot."""
    live = own(AUTOSCALER, draft.resource, draft.observed)
    active = find((live or {}).get("status") or {}, "ScalingActive")
    bounds = f"{scaling.min_replicas} to {scaling.max_replicas} pods"
    if draft.spec.replicas == 0:
        message = "spec.replicas is 0: the autoscaler rests until kubectl scale, or an edit, sets it above"
        draft.conditions.false(CONDITION, "ScaledToZero", message)
    elif active.get("status") == "False":
        cure = "it reads CPU from the metrics API: see that metrics-server runs, and that every container requests CPU"
        said = f"{active.get('reason')}: {active.get('message')}"
        draft.conditions.false(CONDITION, "AutoscalerInactive", f"{bounds} are asked for, but {said}; {cure}")
    else:
        aim = f"{scaling.target_cpu_utilization_percentage} % of the requested CPU"
        message = f"{bounds} by {aim}; the autoscaler writes spec.replicas, and wins over kubectl scale"
        draft.conditions.true(CONDITION, "Autoscaling", message)
