"""Objects as watches and our own writes last showed them; only ever replaced by newer ones."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from modelyard.api import names
from modelyard.core.plan import Key, Manifest

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

ObjectName = tuple[str, str]
"""Namespace and name."""


class Cache:
    """The objects of one resource, by namespace and name, and by the owner that their labels name.

    Resource versions are compared as numbers: the API server orders all versions of a resource so.
    """

    def __init__(self) -> None:
        self._objects: dict[ObjectName, Manifest] = {}
        self._by_owner: defaultdict[Key, dict[ObjectName, None]] = defaultdict(dict)
        self._buried: dict[str, int] = {}
        """UID → resource version of its deletion, so that a late older event does not bring it back."""

    def __len__(self) -> int:
        return len(self._objects)

    def values(self) -> Iterator[Manifest]:
        """Every object."""
        return iter(list(self._objects.values()))

    def get(self, namespace: str, name: str) -> Manifest | None:
        """One object."""
        return self._objects.get((namespace, name))

    def owned_by(self, owner: Key) -> list[Manifest]:
        """The objects whose labels name this owner."""
        return [self._objects[name] for name in self._by_owner.get(owner, ())]

    def upsert(self, manifest: Manifest) -> bool:
        """Take in an object unless what is known is newer; whether it was taken in."""
        metadata = manifest["metadata"]
        name, version = (metadata["namespace"], metadata["name"]), _version(manifest)
        if version <= self._buried.get(metadata["uid"], -1):
            return False
        known = self._objects.get(name)
        if known is not None and version <= _version(known):
            return False
        self._forget(name)
        slim = _slim(manifest)
        self._objects[name] = slim
        owner = _owner(slim)
        if owner:
            self._by_owner[owner][name] = None
        return True

    def drop(self, manifest: Manifest) -> bool:
        """Take out a deleted object; one made anew under its name stays. Whether it was there."""
        metadata = manifest["metadata"]
        self._buried[metadata["uid"]] = max(_version(manifest), self._buried.get(metadata["uid"], -1))
        known = self._objects.get((metadata["namespace"], metadata["name"]))
        if known is None or known["metadata"]["uid"] != metadata["uid"]:
            return False
        self._forget((metadata["namespace"], metadata["name"]))
        return True

    def sweep(self, seen_uids: Iterable[str], list_version: int, namespaces: Iterable[str] = ()) -> list[Manifest]:
        """Take out what a complete list of these namespaces (none: all) did not show, and return it.

        Objects newer than the list stay. Graves older than the list are not needed any more.
        """
        seen, within = set(seen_uids), set(namespaces)
        gone = [
            item
            for item in self._objects.values()
            if item["metadata"]["uid"] not in seen
            and _version(item) <= list_version
            and (not within or item["metadata"]["namespace"] in within)
        ]
        for item in gone:
            self._forget((item["metadata"]["namespace"], item["metadata"]["name"]))
        if not within:
            self._buried = {uid: version for uid, version in self._buried.items() if version > list_version}
        return gone

    def _forget(self, name: ObjectName) -> None:
        """Remove an object from the index as well."""
        known = self._objects.pop(name, None)
        owner = _owner(known) if known else None
        if owner and owner in self._by_owner:
            self._by_owner[owner].pop(name, None)
            if not self._by_owner[owner]:
                del self._by_owner[owner]


def _version(manifest: Manifest) -> int:
    """The resource version as a number."""
    return int(manifest["metadata"]["resourceVersion"])


def _owner(manifest: Manifest) -> Key | None:
    """The owner that the labels name."""
    metadata = manifest["metadata"]
    labels = metadata.get("labels") or {}
    kind, name = labels.get(names.LABEL_OWNER_KIND), labels.get(names.LABEL_OWNER_NAME)
    return Key(kind, metadata["namespace"], name) if kind and name else None


def _slim(manifest: Manifest) -> Manifest:
    """The object without what only the API server and kubectl need."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "managedFields"}
    annotations = metadata.get("annotations")
    if annotations and _LAST_APPLIED in annotations:
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != _LAST_APPLIED}
    return manifest | {"metadata": metadata}
