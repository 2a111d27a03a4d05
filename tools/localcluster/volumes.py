"""A few folders of this machine as PersistentVolumes, and the default StorageClass that claims get them by."""

from pathlib import Path
from typing import Any

from tools.localcluster.node import NODE_NAME

CLASS_NAME = "local"
COUNT = 16
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
VOLUMES = "/api/v1/persistentvolumes"
# What a volume says of its size; nothing holds anyone to it.
CAPACITY = "10Gi"


def storage_class() -> dict[str, Any]:
    """The class of claims that name none; a claim is bound when a pod wants it."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS_NAME, "annotations": default},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def volume(folder: Path) -> dict[str, Any]:
    """The volume of one folder: `local`, which the kubelet gives to a pod's fsGroup as it does not with hostPath."""
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"local-{folder.name}"},
        "spec": {
            "capacity": {"storage": CAPACITY},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": CLASS_NAME,
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
        },
    }


def make_folders(root: Path) -> list[Path]:
    """The folders, made where they are missing; they go with the cluster's other files."""
    folders = [root / "volumes" / str(number) for number in range(1, COUNT + 1)]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return folders
