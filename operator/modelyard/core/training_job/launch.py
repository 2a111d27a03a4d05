"""What a shell does in the trainer before its command, where something is known in the pod only."""

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.training_job import distributed, system_metrics


def command(spec: TrainingJobSpec, given: list[str]) -> list[str]:
    """The trainer's command, behind a shell where one is needed; the shell hands its place over to it."""
    steps = [*distributed.steps(spec), *system_metrics.steps(spec)]
    return ["/bin/sh", "-c", "\n".join([*steps, 'exec "$@"']), "sh", *given] if steps else given
