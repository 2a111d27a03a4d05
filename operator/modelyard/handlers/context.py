"""What decisions need to know of this installation, from its settings."""

from modelyard.core.context import Context
from modelyard.settings import Settings


def context_of(settings: Settings, cluster: str) -> Context:
    """The context of this installation on the cluster with this UID."""
    return Context(
        cluster=cluster,
        trainer_image=settings.trainer_image,
        server_image=settings.server_image,
        seldon_server_image=settings.seldon_server_image,
        fetcher_image=settings.fetcher_image,
        source_image=settings.source_image,
        image_pull_policy=settings.image_pull_policy,
        tracking_uri=settings.tracking_uri_for_pods,
        credentials_secret=settings.pod_credentials_secret,
        ca_config_map=settings.pod_ca_config_map,
        default_backend=settings.default_backend,
        service_url=settings.service_url,
        alias_poll_seconds=settings.alias_poll_seconds,
        tracking_ui_url=settings.tracking_ui_url,
        is_user_recorded=settings.record_user,
        model_names=settings.model_names,
        workspaces=settings.tracking_workspaces,
        training_pods=settings.training_pods,
        serving_pods=settings.serving_pods,
        may_query=settings.prometheus_custom_queries,
        server_images=settings.server_images.root,
    )
