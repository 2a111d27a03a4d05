"""The digest of a version's files: a short Job downloads and hashes them, and its pod tells the result."""

import json
import re
from datetime import timedelta
from typing import Any

from modelyard.core import clock, metadata, pod_policy, pod_state, pods
from modelyard.core.context import Context
from modelyard.core.errors import Waiting
from modelyard.core.matching import is_as_wanted
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.core.promotion.draft import Draft, Ended
from modelyard.core.serving import is_owned_by

CONTAINER = "modelyard-digest"
FINAL_REASONS = frozenset({"AccessDenied", "ModelIncomplete", "ModelNotFound", "UnsupportedArtifactStore"})
"""What the fetcher says of a version that trying again does not change."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_RETRY_AFTER = timedelta(seconds=30)
_TELLING = re.compile(r"(MLFLOW|MODELYARD|PYTHON|LD|SSL|CURL)_.*|PATH|(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
"""Variables that change what is run, or whom it asks."""


def await_digest(draft: Draft) -> None:
    """Have the digest in status; afterwards its Job is not needed any more.

    Raises:
        Waiting: it is being computed.
        Ended: the version's files are not there, or cannot be read.
    """
    if draft.status.get("digest"):
        discard_job(draft)
        return
    job = next(iter(draft.observed.jobs), None)
    if job is None:
        draft.create.append(build_job(draft.resource, draft.context))
        raise Waiting("Hashing", _doing(draft), 0)
    pods_of_job = [pod for pod in draft.observed.pods if is_owned_by(pod, job["metadata"]["uid"])]
    seen = [pod for pod in pods_of_job if _is_untouched(pod, draft)]
    found = next((said for pod in seen if (said := _told_by(pod))), None)
    if found:
        draft.status["digest"] = found
        return
    _refuse_final(seen)
    _begin_again_if_failed(draft, job, seen)
    raise Waiting("Hashing", _how_it_stands(draft, pods_of_job, seen), 0)


def discard_job(draft: Draft) -> None:
    """Take away what is not needed any more."""
    refs = (_ref(job) for job in draft.observed.jobs if not job["metadata"].get("deletionTimestamp"))
    draft.delete.extend(ref for ref in refs if ref not in draft.delete)


def build_job(resource: Manifest, context: Context) -> Manifest:
    """The Job. It runs in the Promotion's namespace, with that namespace's right to read MLflow."""
    body = metadata.child_metadata(resource, metadata.job_name(resource, 1))
    spec = pods.merged_spec(None, _container(resource, context), [])
    spec["volumes"] = [*spec["volumes"], *pods.ca_volumes(context)]
    spec["restartPolicy"] = "Never"
    template = {"metadata": {"labels": body["labels"]}, "spec": pod_policy.enforced(context.serving_pods, spec)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": body,
        "spec": {"backoffLimit": 3, "template": template},
    }


def _container(resource: Manifest, context: Context) -> pods.Container:
    """Downloads the files one after the other and keeps none of them."""
    model = resource["spec"]["model"]
    return {
        "name": CONTAINER,
        "image": context.fetcher_image,
        "imagePullPolicy": context.image_pull_policy,
        "args": ["digest", "--name", model["name"], "--version", model["version"]],
        "env": pods.tracking_environment(context, resource["metadata"]["namespace"]),
        "resources": pods.HELPER_RESOURCES,
        "volumeMounts": pods.ca_mounts(context),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _is_untouched(pod: Manifest, draft: Draft) -> bool:
    """Whether the pod runs what was asked for: whoever may make pods could make one that claims to be this Job's."""
    wanted = _container(draft.resource, draft.context)
    spec = pod.get("spec") or {}
    container: dict[str, Any] = next((c for c in spec.get("containers") or [] if c["name"] == CONTAINER), {})
    given = {item["name"] for item in wanted["env"]}
    env = [item for item in container.get("env") or [] if item["name"] in given or _TELLING.fullmatch(item["name"])]
    mounted = {mount["mountPath"] for mount in container.get("volumeMounts") or []}
    allowed = {pods.TMP_MOUNT["mountPath"], *(mount["mountPath"] for mount in wanted["volumeMounts"])}
    is_same = all(container.get(field) == wanted[field] for field in ("image", "args"))
    is_alone = not any(
        (container.get("command"), container.get("envFrom"), spec.get("hostAliases"), spec.get("dnsConfig"))
    )
    own_mounts = {path for path in mounted if not path.startswith("/var/run/secrets/")}
    return is_same and is_alone and own_mounts <= allowed and is_as_wanted(wanted["env"], env)


def _told_by(pod: Manifest) -> str | None:
    """The digest that a pod computed."""
    end = pod_state.terminated(pod, CONTAINER) or {}
    if end.get("exitCode") != 0:
        return None
    try:
        said = json.loads(end.get("message") or "")
    except (ValueError, RecursionError):
        return None
    found = said.get("digest") if isinstance(said, dict) else None
    return found if isinstance(found, str) and _DIGEST.fullmatch(found) else None


def _refuse_final(seen: list[Manifest]) -> None:
    """What the fetcher said that trying again does not change.

    Raises:
        Ended: it said so.
    """
    for pod in seen:
        end = pod_state.ending(pod, CONTAINER) if pod_state.is_over(pod) else None
        said = pod_state.said_by(pod, CONTAINER) if end and end.exit_code else None
        if said and said.reason in FINAL_REASONS:
            raise Ended(said.reason, f"the version's files cannot be read: {said.message}")


def _begin_again_if_failed(draft: Draft, job: Manifest, seen: list[Manifest]) -> None:
    """A Job that gave up is made anew a little later: what kept it may be over by then.

    Raises:
        Waiting: it is not later yet.
    """
    failed = _failed_at(job)
    if failed is None:
        return
    ended = [pod_state.ending(pod, CONTAINER) for pod in seen if pod_state.is_over(pod)]
    last = ended[-1].message if ended else ""
    left = (clock.from_text(failed) + _RETRY_AFTER - draft.now).total_seconds()
    if left <= 0:
        discard_job(draft)
    raise Waiting("Hashing", f"{_doing(draft)}, to be tried again: {last}", max(left, 1.0))


def _failed_at(job: Manifest) -> str | None:
    """When the Job gave up."""
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "Failed" and condition.get("status") == "True":
            return str(condition.get("lastTransitionTime"))
    return None


def _how_it_stands(draft: Draft, pods_of_job: list[Manifest], seen: list[Manifest]) -> str:
    """What is being done, and what keeps it."""
    trouble = next((said for pod in seen if (said := pod_state.trouble(pod))), None)
    if trouble:
        return f"{_doing(draft)}: {trouble.reason}: {trouble.message}"
    if pods_of_job and not seen:
        cure = "exempt pods with the label modelyard.io/owner-kind=Promotion from what changes them"
        return f"{_doing(draft)}: its pod's image, arguments, environment or hosts were changed on the way: {cure}"
    return _doing(draft)


def _doing(draft: Draft) -> str:
    return f"computing the digest of version {draft.spec.model.version}"


def _ref(job: Manifest) -> ObjectRef:
    found = job["metadata"]
    return ObjectRef("batch/v1", "Job", found["namespace"], found["name"], found["uid"])
