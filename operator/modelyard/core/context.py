"""What decisions need to know of this installation; made once from the settings."""

from dataclasses import dataclass

from modelyard.core.pod_policy import NO_SETTINGS, PodPolicy
from modelyard.core.server_image import ServerImage
from modelyard.core.tracking import Run
from modelyard.core.workspaces import Workspaces


@dataclass(frozen=True)
class Context:
    """The installation's facts that end up in manifests and messages."""

    cluster: str
    """UID of the cluster's kube-system namespace."""
    trainer_image: str
    server_image: str
    seldon_server_image: str
    """The server of protocol seldon."""
    fetcher_image: str
    source_image: str
    image_pull_policy: str
    tracking_uri: str
    """Where pods reach MLflow."""
    credentials_secret: str
    ca_config_map: str
    default_backend: str
    service_url: str
    alias_poll_seconds: float
    tracking_ui_url: str = ""
    is_user_recorded: bool = False
    """Whether the API server itself writes down who created an object."""
    model_names: str = "Free"
    """Free, or Namespaced: held to `<namespace>.<name>`."""
    workspaces: Workspaces = Workspaces.NONE
    training_pods: PodPolicy = NO_SETTINGS
    serving_pods: PodPolicy = NO_SETTINGS
    may_query: bool = True
    """Whether the spec of a ModelDeployment may hold queries for the administrator's Prometheus."""
    server_images: tuple[ServerImage, ...] = ()
    """What is known of model server images; the first that fits counts."""

    def run_url(self, run: Run, namespace: str) -> str | None:
        """The page of a namespace's run, or None when people were not told of one."""
        if not self.tracking_ui_url:
            return None
        workspace = self.workspaces.of(namespace)
        within = f"?workspace={workspace}" if workspace else ""
        return f"{self.tracking_ui_url.rstrip('/')}/#/experiments/{run.experiment_id}/runs/{run.run_id}{within}"
