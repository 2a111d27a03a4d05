"""What to do about a ModelDeployment."""

from datetime import datetime

from pydantic import ValidationError

from modelyard.api.model_deployment import ModelDeploymentSpec, ServedModel
from modelyard.core import metadata, model_names, pod_policy, pod_rules
from modelyard.core.errors import Open, Stalled, Waiting
from modelyard.core.model_deployment import compatibility, cures, monitoring, pod, rollout, services, versions
from modelyard.core.model_deployment.backend import Backend, PredictorState, own
from modelyard.core.model_deployment.deployment import DeploymentBackend
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.scene import Scene
from modelyard.core.model_deployment.seldon import SeldonBackend
from modelyard.core.plan import Event, Failure, Manifest, Plan
from modelyard.core.serving import is_owned_by

BACKENDS: dict[str, Backend] = {"SeldonDeployment": SeldonBackend(), "Deployment": DeploymentBackend()}


def plan(resource: Manifest, observed: Observed, now: datetime) -> Plan:
    """The next step of a ModelDeployment. Pure: the same input gives the same plan."""
    try:
        spec = ModelDeploymentSpec.model_validate(resource.get("spec") or {})
    except ValidationError as error:
        return _unreadable(resource, observed, now, error)
    draft = Draft(resource, spec, observed, now)
    try:
        return _decide(draft)
    except Open as open_:
        return Plan(questions=open_.questions)
    except Waiting as waiting:
        draft.not_ready(waiting.reason, waiting.message)
        draft.conditions.false("Progressing", waiting.reason, waiting.message)
        draft.conditions.false("Degraded", waiting.reason, "")
        return draft.finish(reconciling=True, stalled=None)
    except Stalled as stalled:
        return _stalled(draft, stalled.reason, stalled.message)


def plan_refused(resource: Manifest, observed: Observed, refusal: Failure, now: datetime) -> Plan:
    """What to say when the API server refused an object: a quota, a policy, a field of the pod template."""
    draft = Draft(resource, ModelDeploymentSpec.model_validate(resource["spec"]), observed, now)
    message = cures.in_fields(refusal.message)
    return _stalled(draft, refusal.reason, f"the API server refused what serves the model: {message}")


def _decide(draft: Draft) -> Plan:
    """The story of a ModelDeployment."""
    _refuse_the_impossible(draft)
    backend = _backend(draft)
    wanted = versions.desired(draft)
    servers = cures.explained(draft, backend.observe(draft.resource, draft.observed))
    if wanted is not None and not draft.spec.paused:
        draft.refusal = compatibility.check(draft, wanted)
    _name_the_backend(draft, backend)
    _count(draft, servers.stable)
    return rollout.decide(Scene(draft, backend, servers, wanted))


def _refuse_the_impossible(draft: Draft) -> None:
    """A spec that the schema admits but that cannot work.

    Raises:
        Stalled: with the fields and the cure.
    """
    template, asked = draft.spec.pod_template, pod_policy.asked_of("spec.server.resources", draft.spec.server.resources)
    problems = [
        *pod_rules.problems_of(template, pod.SERVER),
        *pod_policy.problems_of(draft.context.serving_pods, template, asked),
        *monitoring.problems_of(draft.context, draft.spec),
        *model_names.problems_of(draft.context, draft.namespace, draft.spec.model.name),
    ]
    if problems:
        raise Stalled("InvalidSpec", "; ".join(problems))


def _backend(draft: Draft) -> Backend:
    """What runs the servers; once chosen it stays.

    Raises:
        Stalled: it was another one before, or the cluster cannot run it.
    """
    chosen = (draft.status.get("backendRef") or {}).get("kind")
    name = draft.spec.backend or chosen or draft.context.default_backend
    if chosen and name != chosen:
        raise Stalled("InvalidSpec", f"spec.backend is {name} but this object is served by a {chosen}: set it back")
    backend = BACKENDS[name]
    if not backend.is_present(draft.observed):
        raise Stalled(
            "BackendMissing",
            f"this cluster does not know {backend.kind} ({backend.api_version}): install Seldon Core 1.17.1, "
            "or make the ModelDeployment with spec.backend: Deployment",
        )
    return backend


def _name_the_backend(draft: Draft, backend: Backend) -> None:
    """Say which object runs the servers, and where they answer."""
    live = draft.observed.named(backend.kind, draft.name)
    reference = {"apiVersion": backend.api_version, "kind": backend.kind, "name": draft.name}
    known = draft.status.get("backendRef") or {}
    uid = live["metadata"]["uid"] if live else known.get("uid")
    draft.status["backendRef"] = reference | ({"uid": uid} if uid else {})
    draft.status["url"] = draft.server_url + draft.predict_path
    draft.status["selector"] = metadata.selector_text(services.stable_selector(draft.resource))


def _count(draft: Draft, state: PredictorState) -> None:
    """Say how many pods there are."""
    draft.status["replicas"] = state.replicas
    draft.status["availableReplicas"] = state.available


def _still_serves(draft: Draft) -> bool:
    """Whether pods of an earlier state answer."""
    seldons = [own("SeldonDeployment", draft.resource, draft.observed)]
    uids = [item["metadata"]["uid"] for item in (draft.resource, *seldons) if item]
    owned = (item for item in draft.observed.of_kind("Deployment") if any(is_owned_by(item, uid) for uid in uids))
    return any((item.get("status") or {}).get("availableReplicas") for item in owned)


def _unreadable(resource: Manifest, observed: Observed, now: datetime, error: ValidationError) -> Plan:
    """The spec does not fit the schema of this release."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in ("spec", *first["loc"]))
    message = f"{field}: {first['msg']}: upgrade the operator, or write the ModelDeployment for this release"
    draft = Draft(resource, ModelDeploymentSpec(model=ServedModel(name="unreadable")), observed, now)
    return _stalled(draft, "InvalidSpec", message)


def _stalled(draft: Draft, reason: str, message: str) -> Plan:
    """Nothing new is begun until a person changes something; what serves goes on."""
    if _still_serves(draft):
        draft.conditions.true("Ready", reason, f"what served before serves on; {message}")
    else:
        draft.not_ready(reason, message)
    draft.conditions.true("Degraded", reason, message)
    draft.conditions.false("Progressing", reason, message)
    draft.events.append(Event(reason, message, "Warning"))
    return draft.finish(reconciling=False, stalled=(reason, message))
