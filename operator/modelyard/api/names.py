"""Names that are written in more than one place: the API group, labels, annotations, tags, the field manager.

Each of them is part of what users and other programs see; none may change within a version of the API.
"""

GROUP = "modelyard.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "modelyard"

FIELD_MANAGER = "modelyard"
"""Owns the fields that the operator applies."""

LABEL_OWNER_KIND = f"{GROUP}/owner-kind"
"""On every object made for one of ours, and on its pods: the owner's kind. Watches select by it."""
LABEL_OWNER_NAME = f"{GROUP}/owner-name"
LABEL_OWNER_UID = f"{GROUP}/owner-uid"
"""Tells apart two owners of the same name, one after the other."""
LABEL_ATTEMPT = f"{GROUP}/attempt"
LABEL_MODEL_VERSION = f"{GROUP}/model-version"
"""On serving pods: the registry's version number that this pod serves."""

ANNOTATION_RUN_ID = f"{GROUP}/run-id"
ANNOTATION_EXPERIMENT_ID = f"{GROUP}/experiment-id"
ANNOTATION_APPLIED = f"{GROUP}/applied"
"""On objects that are applied again and again: a digest of what was applied last."""
ANNOTATION_PARAMETERS = f"{GROUP}/parameters"

TAG_CLUSTER = f"{GROUP}/cluster"
"""On MLflow runs and versions: the UID of the cluster's kube-system namespace; clusters may share one MLflow."""
TAG_OWNER_UID = f"{GROUP}/trainingjob-uid"
TAG_ATTEMPT = f"{GROUP}/attempt"
TAG_PARENT_ATTEMPT = f"{GROUP}/parent-attempt"
"""On further runs that the code of an attempt started by itself: they are not the attempt's own run."""
TAG_SHARED = f"{GROUP}/shared"
"""On a run that all attempts of a TrainingJob go on with."""
TAG_NAMESPACE = f"{GROUP}/namespace"
TAG_TRAINING_JOB = f"{GROUP}/trainingjob"
TAG_REASON = f"{GROUP}/reason"
TAG_EXIT_CODE = f"{GROUP}/exit-code"
TAG_NODE = f"{GROUP}/node"
TAG_POD = f"{GROUP}/pod"
TAG_JOB = f"{GROUP}/job"
TAG_IMAGE = f"{GROUP}/image"
