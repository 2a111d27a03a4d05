"""The kinds that users write."""

from modelyard.api.base import Kind
from modelyard.api.model_deployment import ModelDeployment
from modelyard.api.promotion import Promotion
from modelyard.api.promotion_policy import PromotionPolicy
from modelyard.api.training_job import TrainingJob

KINDS: tuple[type[Kind], ...] = (TrainingJob, PromotionPolicy, Promotion, ModelDeployment)
