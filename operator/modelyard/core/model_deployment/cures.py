"""What the cluster says of a ModelDeployment's servers, told of the fields that their pods were made of."""

import re
from dataclasses import replace

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import cures, pod_state, refusal, unstarted
from modelyard.core.model_deployment import pod
from modelyard.core.model_deployment.backend import PredictorState, Servers, pods_of, version_label
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.layout import CANARY, STABLE
from modelyard.core.plan import Manifest
from modelyard.core.pod_state import Trouble

_OF_AN_OBJECT = re.compile(r'^(?:Deployment\.apps|SeldonDeployment\.machinelearning\.seldon\.io) "[^"]*" is invalid: ')
_POD = re.compile(r"spec\.(?:template|predictors\[\d+\]\.componentSpecs\[\d+\])\.")


def explained(draft: Draft, servers: Servers) -> Servers:
    """The servers, with what keeps their pods told of the fields of spec, and looked for where no status tells it.

    Raises:
        Open: Events are to be read.
    """
    canary = _explained(draft, CANARY, servers.canary) if servers.canary else None
    return Servers(_explained(draft, STABLE, servers.stable), canary)


def in_fields(message: str) -> str:
    """What the API server said of the objects that serve, with the fields that they were made of in place of theirs."""
    text = _POD.sub("spec.podTemplate.", _OF_AN_OBJECT.sub("", message))
    return text.replace("spec.podTemplate.spec.containers[0]", "spec.server")


def _explained(draft: Draft, predictor: str, state: PredictorState) -> PredictorState:
    """The state of one predictor, as `explained` says."""
    trouble = state.trouble or _untold(draft, predictor, state)
    return replace(state, trouble=_in_words(draft, trouble)) if trouble else state


def _in_words(draft: Draft, trouble: Trouble) -> Trouble:
    """The trouble with its field and the cure, where they can be known."""
    origin = _origin(draft.spec)
    known = unstarted.with_claims_word(draft, origin.claims(), trouble)
    if known.reason != "FailedCreate":
        return Trouble(known.reason, cures.told(origin, known.message))
    # What comes before names a pod that was never made, another one each time.
    said = f"no pod can be made: {known.message.rpartition('is forbidden: ')[2]}"
    return Trouble(refusal.reason_of(known.message, "PodsRefused"), cures.told(origin, said))


def _untold(draft: Draft, predictor: str, state: PredictorState) -> Trouble | None:
    """What no status tells of pods that have not started."""
    found = (item for item in pods_of(predictor, draft.observed.pods) if version_label(item) == state.applied_version)
    waiting = [
        item for item in found if not item["metadata"].get("deletionTimestamp") and not pod_state.has_begun(item)
    ]
    return next((said for item in waiting if (said := _untold_of(draft, item))), None)


def _untold_of(draft: Draft, item: Manifest) -> Trouble | None:
    """What no status tells of one pod; it is looked at again, because Events and silence wake nobody."""
    age = unstarted.age_of(item, draft.now)
    patience = unstarted.GRACE if _origin(draft.spec).named_objects() else unstarted.SLOW_START
    draft.look_again_in(unstarted.recheck_seconds(age))
    if age < patience:
        draft.look_again_in((patience - age).total_seconds())
    if silent := unstarted.silence(item, draft.now):
        return silent
    return unstarted.volume_trouble(draft, item) if age >= patience else None


def _origin(spec: ModelDeploymentSpec) -> cures.Origin:
    """What the pods are made of."""
    return cures.Origin(
        spec.model_dump(by_alias=True, exclude_none=True), {pod.SERVER: "spec.server"}, "pods.modelDeployments"
    )
