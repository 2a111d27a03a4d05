"""What only a scheduler and a kubelet can know of a spec: named with its field and its cure, and mended in place."""

from collections.abc import Iterator

import pytest

from support.mishaps import SERVINGS, TRAININGS, UNIQUE
from support.trainings import code, training_job
from support.watching_mishaps import Table
from support.yard import Yard

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

A_MODEL = """
import mlflow
from sklearn.dummy import DummyClassifier
with mlflow.start_run():
    model = DummyClassifier().fit([[0.0], [1.0]], [0, 1])
    mlflow.sklearn.log_model(model, name="model", serialization_format="cloudpickle")
"""


@pytest.fixture
def clean_cluster(yard: Yard) -> Iterator[Yard]:
    """The yard; what the table makes beyond its namespace goes with it."""
    yield yard
    kubectl = yard.site.kubectl
    kubectl.run("label", "nodes", "--all", f"{UNIQUE}-")
    kubectl.run("delete", "priorityclass,runtimeclass", UNIQUE, "--ignore-not-found")


def test_what_only_the_cluster_knows_is_told_within_ten_seconds_and_mended_in_place(clean_cluster: Yard) -> None:
    yard = clean_cluster
    model = {"name": "irises", "aliases": ["live"]}
    yard.apply([code("irises", A_MODEL), training_job("irises", model=model)])
    trainings = Table(yard, TRAININGS)
    trainings.run(150)
    print("", *trainings.courses, sep="\n")
    yard.wait("trainingjob", "irises", "Complete", 120)
    servings = Table(yard, SERVINGS)
    servings.run(90)
    print(*servings.courses, sep="\n")
    courses = [*trainings.courses, *servings.courses]
    late = [str(course) for course in courses if not course.is_in_time]
    stuck = [str(course) for course in courses if course.told and not course.is_over]
    assert not late, "\n".join(["too late, or not at all:", *late, yard.operator_log()])
    assert not stuck, "\n".join(["told, and not mended:", *stuck, yard.operator_log()])
