"""How much memory an attempt gets: more than the one before, where that ran out of it."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from modelyard.api.training_job import TrainingJobSpec
from modelyard.api.training_retry import OnOutOfMemory
from modelyard.core.matching import amount

_MEBIBYTE = 2**20


def next_limit(spec: TrainingJobSpec, record: Mapping[str, Any] | None) -> str | None:
    """The trainer's memory limit in the attempt after this one; None where it is as spec.trainer says."""
    policy = spec.retry.on_out_of_memory
    if policy is None:
        return None
    now = str((record or {}).get("memory") or _limit_of(spec))
    ran_out = record is not None and record.get("reason") == "OOMKilled" and not record.get("container")
    return _grown(now, policy) if ran_out else now


def with_limit(spec: TrainingJobSpec, limit: str | None) -> TrainingJobSpec:
    """The spec with this memory limit; the trainer's request grows with it."""
    if limit is None or spec.trainer.resources is None:
        return spec
    given = spec.trainer.resources
    limits = (given.limits or {}) | {"memory": limit}
    requests = dict(given.requests or {})
    if "memory" in requests:
        requests["memory"] = _scaled(str(requests["memory"]), _limit_of(spec), limit)
    resources = given.model_copy(update={"limits": limits, "requests": requests or None})
    return spec.model_copy(update={"trainer": spec.trainer.model_copy(update={"resources": resources})})


def problems_of(spec: TrainingJobSpec) -> list[str]:
    """Why spec.retry.onOutOfMemory cannot work, beyond what the schema refuses."""
    policy = spec.retry.on_out_of_memory
    if policy is None:
        return []
    path, limit = "spec.trainer.resources.limits.memory", _limit_of(spec)
    if not limit:
        return [f"spec.retry.onOutOfMemory needs {path}: say what the first attempt may use"]
    if not isinstance(amount(limit), Fraction):
        return [f"{path}: {limit!r} is not a quantity; write such as 2Gi"]
    if amount(limit) > amount(policy.max_memory):
        return [f"spec.retry.onOutOfMemory.maxMemory ({policy.max_memory}) is less than {path} ({limit}): raise it"]
    return []


def limit_in(job: Mapping[str, Any], container: str) -> str | None:
    """The memory limit that a Job gives to one of its containers."""
    spec = ((job.get("spec") or {}).get("template") or {}).get("spec") or {}
    found: dict[str, Any] = next((item for item in spec.get("containers") or [] if item.get("name") == container), {})
    limit = ((found.get("resources") or {}).get("limits") or {}).get("memory")
    return str(limit) if limit else None


def _limit_of(spec: TrainingJobSpec) -> str:
    """The limit that spec.trainer gives; empty for none."""
    resources = spec.trainer.resources
    return str(((resources.limits if resources else None) or {}).get("memory", ""))


def _grown(limit: str, policy: OnOutOfMemory) -> str:
    """The limit times the factor, up to the most; one that is no number stays for others to refuse."""
    if not isinstance(amount(limit), Fraction):
        return limit
    grown = amount(limit) * Fraction(policy.memory_factor)
    return policy.max_memory if grown >= amount(policy.max_memory) else _as_text(grown)


def _scaled(request: str, before: str, now: str) -> str:
    """The request in the same proportion to the limit as before; one that is no number stays for others to refuse."""
    if amount(before) == amount(now) or not all(isinstance(amount(size), Fraction) for size in (request, before, now)):
        return request
    return _as_text(amount(request) * amount(now) / amount(before))


def _as_text(size: Fraction) -> str:
    """Bytes as a quantity: whole mebibytes, or bytes where that would not be exact enough."""
    return f"{math.ceil(size / _MEBIBYTE)}Mi" if size >= _MEBIBYTE else str(math.ceil(size))
