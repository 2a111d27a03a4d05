"""Why a spec that the schema admits cannot work; asked before an attempt begins, never of one under way."""

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import model_names, pod_policy, pod_rules
from modelyard.core.context import Context
from modelyard.core.training_job import checkpoint, datasets, distributed, memory, parameters, prepare
from modelyard.core.training_job.outcome import TRAINER

_RULES = (memory, parameters, datasets, prepare, distributed, checkpoint)


def problems_of(spec: TrainingJobSpec, namespace: str, context: Context) -> list[str]:
    """Each reason, with its field and the cure; none when it can work."""
    if problems := pod_rules.problems_of(spec.pod_template, TRAINER):
        return problems
    policy = pod_policy.problems_of(context.training_pods, spec.pod_template, _asked(spec))
    named = model_names.problems_of(context, namespace, spec.model.name) if spec.model else []
    mounts = [*pod_rules.mount_problems("spec.trainer.volumeMounts", spec.trainer.volume_mounts)]
    return policy + named + mounts + [problem for rule in _RULES for problem in rule.problems_of(spec)]


def _asked(spec: TrainingJobSpec) -> list[pod_policy.Asked]:
    """What fields beside the template ask for, now or after an attempt that ran out of memory."""
    asked = pod_policy.asked_of("spec.trainer.resources", spec.trainer.resources)
    if spec.prepare:
        asked += pod_policy.asked_of("spec.prepare.resources", spec.prepare.resources)
    grown = spec.retry.on_out_of_memory
    return [*asked, ("spec.retry.onOutOfMemory.maxMemory", "memory", grown.max_memory)] if grown else asked
