"""The kinds that users write."""

from modelyard.api.base import Kind
from modelyard.api.model_deployment import ModelDeployment
from modelyard.api.training_job import TrainingJob

KINDS: tuple[type[Kind], ...] = (TrainingJob, ModelDeployment)
