"""What MLflow can refuse, by reason; needs no MLflow client."""

from modelyard.core.plan import Failure

TRACKING_NOT_CONFIGURED = "TrackingNotConfigured"
TRACKING_UNAVAILABLE = "TrackingUnavailable"
"""It does not answer, or not now: the network, a time-out, 5xx, 429."""
HOST_REJECTED = "HostRejected"
"""MLflow's own check of the Host header."""
ACCESS_DENIED = "AccessDenied"
INVALID_RESPONSE = "InvalidResponse"
"""What answered is not MLflow, or says what MLflow never says."""
INVALID_REQUEST = "InvalidRequest"
NAME_INVALID = "NameInvalid"
RUN_NOT_FOUND = "RunNotFound"
RUN_DELETED = "RunDeleted"
EXPERIMENT_DELETED = "ExperimentDeleted"
MODEL_UNREADABLE = "ModelUnreadable"
"""A file of a version is not what MLflow writes."""
WORKSPACES_DISABLED = "WorkspacesDisabled"
"""Namespaces are to have workspaces of their own, and the server has none."""
WORKSPACE_NOT_FOUND = "WorkspaceNotFound"
WORKSPACE_INVALID = "WorkspaceInvalid"
"""MLflow allows no workspace of the namespace's name."""
ALIAS_CONTESTED = "AliasContested"
"""Somebody else moved an alias while it was being set."""

MISSING = "RESOURCE_DOES_NOT_EXIST"
"""MLflow's own code for what it does not have."""


class Refused(Exception):
    """MLflow answered, and said no."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Unreachable(Refused):
    """MLflow did not answer: reason enough not to ask it for a while."""
