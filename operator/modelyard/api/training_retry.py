"""What happens after an attempt of a training failed."""

from typing import Annotated

from pydantic import Field

from modelyard.api.base import KubeModel, form, rule, rules


class Backoff(KubeModel):
    """How long to wait between attempts: doubles each time; each job shortens it by up to half, differently."""

    initial_seconds: Annotated[int, Field(ge=0, le=86400)] = 10
    """Seconds before the second attempt, at most."""
    max_seconds: Annotated[int, Field(ge=0, le=86400)] = 300
    """Seconds that no wait exceeds."""


class OnOutOfMemory(KubeModel):
    """More memory for the attempt that follows one that ran out of it."""

    memory_factor: Annotated[
        str,
        Field(
            max_length=8,
            pattern=r"^[0-9]{1,2}(\.[0-9]{1,3})?$",
            json_schema_extra=rules(
                rule(
                    "!self.matches('^[0-9]{1,2}([.][0-9]{1,3})?$') || (double(self) > 1.0 && double(self) <= 10.0)",
                    'spec.retry.onOutOfMemory.memoryFactor must be more than 1 and at most 10, such as "1.5"',
                )
            )
            | form('must be a number in quotes, such as "1.5"'),
        ),
    ] = "1.5"
    """What the trainer's memory, request and limit, is multiplied by; a decimal as text."""
    max_memory: Annotated[
        str,
        Field(
            max_length=20,
            pattern=r"^[0-9]{1,15}(\.[0-9]{1,3})?([KMGTP]i|[kMGTP])?$",
            json_schema_extra=form("is no amount of memory: write such as 8Gi"),
        ),
    ]
    """The limit that it never grows beyond, such as 8Gi."""


class Retry(KubeModel):
    """What happens after an attempt failed."""

    limit: Annotated[int, Field(ge=0, le=100)] = 2
    """Further attempts after the first. What the cluster ended (Evicted, Preempted, NodeLost) does not count."""
    backoff: Backoff = Backoff()
    """How long to wait between attempts."""
    non_retryable_exit_codes: Annotated[
        list[Annotated[int, Field(ge=1, le=255)]] | None,
        Field(max_length=20, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = None
    """Exit codes of the trainer after which trying again is in vain."""
    on_out_of_memory: OnOutOfMemory | None = None
    """More memory for the attempt that follows one that ran out of it; needs trainer.resources.limits.memory."""
