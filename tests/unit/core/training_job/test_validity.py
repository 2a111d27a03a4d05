"""A spec is judged with what the administrator decided, what it may grow to included."""

from builders import make_context
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.pod_policy import PodPolicy
from modelyard.core.training_job.validity import problems_of

CAPPED = make_context(training_pods=PodPolicy(max_resources={"memory": "4Gi"}))


def spec(most: str) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate(
        {
            "trainer": {"resources": {"limits": {"memory": "1Gi"}}},
            "retry": {"onOutOfMemory": {"maxMemory": most}},
        }
    )


def test_two_volumes_in_one_folder_are_told() -> None:
    mounts = [{"name": name, "mountPath": "/data"} for name in ("a", "b")] + [{"name": "a", "mountPath": "/more"}]
    twice = TrainingJobSpec.model_validate({"trainer": {"volumeMounts": mounts}})
    told = "spec.trainer.volumeMounts: 2 volumes are mounted at /data; choose another mountPath for all but one"
    assert problems_of(twice, "team", make_context()) == [told]


def test_memory_may_not_grow_above_the_administrators_limit() -> None:
    [problem] = problems_of(spec("8Gi"), "team", CAPPED)
    assert problem == "spec.retry.onOutOfMemory.maxMemory: 8Gi is above the administrator's limit of 4Gi; lower it"
    assert problems_of(spec("4Gi"), "team", CAPPED) == []
    assert problems_of(spec("8Gi"), "team", make_context()) == []
