"""How many pods serve, by their load: spec.autoscaling."""

from typing import Annotated

from pydantic import Field

from modelyard.api.base import KubeModel, rule, rules


class Autoscaling(KubeModel):
    """Bounds and aim of a HorizontalPodAutoscaler."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "self.minReplicas <= self.maxReplicas",
                "spec.autoscaling.minReplicas may not be above maxReplicas: lower it, or raise maxReplicas",
            )
        )
    }

    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Fewest pods."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """Most pods."""
    target_cpu_utilization_percentage: Annotated[int, Field(ge=1, le=1000, alias="targetCPUUtilizationPercentage")] = 80
    """Per cent of the CPU that the pods request, on average over them."""
