"""What the cluster says of a TrainingJob's Jobs and pods, told of the fields that they were made of."""

import re
from dataclasses import replace

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import cures
from modelyard.core.conditions import last_words
from modelyard.core.pod_state import Trouble
from modelyard.core.training_job import checkpoint, prepare
from modelyard.core.training_job.outcome import TRAINER, Outcome

_SHELLS_WORD = {126: "a command that may not be run", 127: "a command that is not there"}
"""What a shell means by these exit codes."""
_LOG_LETTERS = 160
"""Of the log: what is passed on of an attempt's message are its last letters, and the field comes first."""


def origin(spec: TrainingJobSpec) -> cures.Origin:
    """What the pods are made of."""
    own = {TRAINER: "spec.trainer"} | ({prepare.NAME: "spec.prepare"} if spec.prepare else {})
    return cures.Origin(spec.model_dump(by_alias=True, exclude_none=True), own, "pods.trainingJobs")


def told(spec: TrainingJobSpec, trouble: Trouble) -> str:
    """What is said of an attempt that does not start: the field, its value and the cure where they can be known."""
    return checkpoint.why_unschedulable(spec.checkpoint, trouble) or cures.told(origin(spec), trouble.message)


def explained(spec: TrainingJobSpec, outcome: Outcome) -> Outcome:
    """The outcome, saying which field to mend where a command could not be run."""
    said = cures.no_command(outcome.message)
    if not said and outcome.exit_code in _SHELLS_WORD:
        means = f"exit code {outcome.exit_code} is a shell's word for {_SHELLS_WORD[outcome.exit_code]}"
        said = f"{means}: {last_words(outcome.message, _LOG_LETTERS)}".rstrip(": ")
    if not said or outcome.container not in {None, prepare.NAME}:
        return outcome
    return replace(outcome, message=f"{_field_of_command(spec, outcome.container)}: {said}")


def in_fields(spec: TrainingJobSpec, message: str) -> str:
    """What the API server said of a Job, with the fields that it was made of in place of the Job's."""
    text = re.sub(r'^Job\.batch "[^"]*" is invalid: ', "", message)
    text = text.replace("spec.template.spec.containers[0]", "spec.trainer")
    if spec.prepare:
        before = sum(1 for helper in (spec.source, spec.mlproject) if helper)
        text = text.replace(f"spec.template.spec.initContainers[{before}]", "spec.prepare")
    return text.replace("spec.template.", "spec.podTemplate.")


def _field_of_command(spec: TrainingJobSpec, container: str | None) -> str:
    """The field that says what a container runs."""
    if container == prepare.NAME:
        return "spec.prepare.command"
    if spec.trainer.command:
        return "spec.trainer.command"
    return "spec.mlproject" if spec.mlproject else "spec.trainer.image"
