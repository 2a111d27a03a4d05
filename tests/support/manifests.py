"""The objects that tests apply, with only what they are about."""

from typing import Any

Manifest = dict[str, Any]
API_VERSION = "modelyard.io/v1alpha1"


def training_job(name: str = "digits", **spec: object) -> Manifest:
    """A TrainingJob that would train with the release's own image."""
    given = {"trainer": {"command": ["python", "train.py"]}} | spec
    return {"apiVersion": API_VERSION, "kind": "TrainingJob", "metadata": {"name": name}, "spec": given}


def model_deployment(name: str = "digits", model: object = None, **spec: object) -> Manifest:
    """A ModelDeployment of the plain backend that follows an alias."""
    given = {"model": model or {"name": name, "alias": "champion"}, "backend": "Deployment"} | spec
    return {"apiVersion": API_VERSION, "kind": "ModelDeployment", "metadata": {"name": name}, "spec": given}


def promotion_policy(name: str = "digits", model: str = "digits", **spec: object) -> Manifest:
    """A PromotionPolicy from candidate to champion."""
    given = {"model": {"name": model}} | spec
    return {"apiVersion": API_VERSION, "kind": "PromotionPolicy", "metadata": {"name": name}, "spec": given}


def promotion(name: str = "by-hand", model: str = "digits", version: str = "1", **spec: object) -> Manifest:
    """A Promotion made by hand, to champion."""
    given = {"model": {"name": model, "version": version}, "target": {"alias": "champion"}} | spec
    return {"apiVersion": API_VERSION, "kind": "Promotion", "metadata": {"name": name}, "spec": given}


def resource_quota(name: str = "tight", **hard: str) -> Manifest:
    """A quota; underscores stand for dots in the names of resources that have them."""
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": dict(hard)}}


def warning(about: Manifest, reason: str, note: str) -> Manifest:
    """An Event of type Warning, as a kubelet or a controller tells it."""
    metadata = about["metadata"]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{reason.lower()}"},
        "regarding": {"kind": about["kind"], **{name: metadata[name] for name in ("name", "namespace", "uid")}},
        "reason": reason,
        "note": note,
        "type": "Warning",
        "action": "Mount",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "kubelet",
        "reportingInstance": "node-1",
    }
