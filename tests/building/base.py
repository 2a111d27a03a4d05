"""What all builders are made of: a fixed time, fixed names, and manifests of which every step gives a new one."""

import copy
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Self

from modelyard.core import clock
from modelyard.core.context import Context
from modelyard.core.model_card import Column, ModelCard, Signature
from modelyard.core.plan import Manifest, Plan
from modelyard.core.server_image import ServerImage

NOW = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)
NAMESPACE = "team-a"
TRAINING_UID = "11111111-2222-4333-8444-555555555555"
SERVING_UID = "66666666-7777-4888-8999-000000000000"
SELDON_UID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


SERVER_IMAGE = ServerImage(
    image="modelyard/model-server:*",
    python="3.11",
    mlflow="3.17.2",
    flavours=frozenset({"python_function", "sklearn"}),
    libraries={"scikit-learn": "1.9.1", "numpy": "2.4.6"},
)


SELDON_SERVER_IMAGE = SERVER_IMAGE.model_copy(
    update={
        "image": "modelyard/model-server-seldon:*",
        "libraries": {"scikit-learn": "1.9.1", "numpy": "1.26.4"},
    }
)


def make_card(**changes: object) -> ModelCard:
    """A scikit-learn model that suits the server image."""
    usual = ModelCard(
        flavours=("sklearn",),
        loader="mlflow.sklearn",
        python="3.11.7",
        mlflow="3.17.2",
        is_pickled=True,
        requirements=(("numpy", "2.4.6"), ("scikit-learn", "1.9.1")),
        signature=Signature((Column("x", "double"),), (Column("y", "long"),)),
    )
    return dataclasses.replace(usual, **changes)  # type: ignore[arg-type]


def seconds_ago(seconds: float) -> str:
    """A time before NOW, as Kubernetes writes it."""
    return clock.to_text(NOW - timedelta(seconds=seconds))


def make_context(**changes: object) -> Context:
    """An installation with MLflow behind basic authentication."""
    usual = Context(
        cluster="c1c1c1c1-0000-4000-8000-000000000001",
        trainer_image="modelyard/trainer:test",
        server_image="modelyard/model-server:test",
        seldon_server_image="modelyard/model-server-seldon:test",
        fetcher_image="modelyard/model-fetcher:test",
        source_image="modelyard/source-fetcher:test",
        image_pull_policy="IfNotPresent",
        tracking_uri="http://mlflow.mlflow:5000",
        credentials_secret="mlflow-credentials",
        ca_config_map="",
        default_backend="SeldonDeployment",
        service_url="http://{service}.{namespace}:{port}",
        alias_poll_seconds=10.0,
        tracking_ui_url="https://mlflow.example.com",
        server_images=(SERVER_IMAGE, SELDON_SERVER_IMAGE),
    )
    return dataclasses.replace(usual, **changes)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class Builder:
    """Holds a manifest; every step gives a new builder."""

    manifest: Manifest

    def changed(self, *path: str, to: object) -> Self:
        """With one field set."""
        manifest = copy.deepcopy(self.manifest)
        holder = manifest
        for name in path[:-1]:
            holder = holder.setdefault(name, {})
        holder[path[-1]] = to
        return dataclasses.replace(self, manifest=manifest)

    def build(self) -> Manifest:
        """The manifest."""
        return copy.deepcopy(self.manifest)


@dataclasses.dataclass(frozen=True)
class ResourceBuilder(Builder):
    """One of our own objects."""

    def with_spec(self, **fields: object) -> Self:
        """With fields of spec, by their names in YAML."""
        return self.changed("spec", to=self.manifest["spec"] | fields)

    def with_status(self, status: object) -> Self:
        """With a status."""
        return self.changed("status", to=status)

    def with_uid(self, uid: str) -> Self:
        """With another UID."""
        return self.changed("metadata", "uid", to=uid)

    def edited(self) -> Self:
        """With the next generation, as after a change of spec."""
        return self.changed("metadata", "generation", to=self.manifest["metadata"]["generation"] + 1)

    def after(self, plan: Plan) -> Self:
        """With the status that a plan wants."""
        return self if plan.status is None else self.with_status(copy.deepcopy(dict(plan.status)))

    def with_pod_template(self, **fields: object) -> Self:
        """With a podTemplate."""
        return self.with_spec(podTemplate=fields)
