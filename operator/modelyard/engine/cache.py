"""The objects of one kind as last heard of: they only ever move forward in time."""

from collections import defaultdict
from collections.abc import Iterator

from modelyard.api import names
from modelyard.core.plan import Key, Manifest

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Place = tuple[str, str]
"""Namespace and name."""


class Cache:
    """Holds objects as their JSON, shared with whoever reads them: nobody may change what it hands out.

    Versions are compared as numbers, which the API server guarantees within one kind.
    """

    def __init__(self) -> None:
        self._objects: dict[Place, Manifest] = {}
        self._by_owner: defaultdict[Key, set[Place]] = defaultdict(set)
        self._gone: dict[Place, int] = {}
        """The version at which an object was gone; whatever is told of its place from before is out of date."""
        self._gone_before: dict[Place, int] = {}
        """The same, from before the last sweep."""

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, namespace: str, name: str) -> Manifest | None:
        """The object, or None."""
        return self._objects.get((namespace, name))

    def values(self) -> Iterator[Manifest]:
        """All objects; the cache may change while they are looked at."""
        return iter(list(self._objects.values()))

    def owned_by(self, key: Key) -> list[Manifest]:
        """The objects whose labels name this owner, by name."""
        return [self._objects[place] for place in sorted(self._by_owner.get(key, ()))]

    def knows(self, manifest: Manifest) -> bool:
        """Whether this very version is held: hearing of it again is no news."""
        held = self._objects.get(_place(manifest))
        return held is not None and _version(held) == _version(manifest)

    def upsert(self, manifest: Manifest) -> bool:
        """Take an object in, unless a version as new is held or was seen to go; whether it was taken."""
        place, version = _place(manifest), _version(manifest)
        held = self._objects.get(place)
        if (held is not None and version <= _version(held)) or version <= self._gone_at(place):
            return False
        self._forget(place)
        self._objects[place] = _slim(manifest)
        if owner := _owner(manifest):
            self._by_owner[owner].add(place)
        return True

    def drop(self, manifest: Manifest) -> bool:
        """Take note that the object is gone as of its version; whether one was held."""
        place, version, uid = _place(manifest), _version(manifest), manifest["metadata"]["uid"]
        self._gone[place] = max(version, self._gone_at(place))
        held = self._objects.get(place)
        if held is None or held["metadata"]["uid"] != uid or _version(held) > version:
            return False
        self._forget(place)
        return True

    def sweep(self, seen_uids: set[str], list_version: str, namespace: str | None = None) -> list[Manifest]:
        """Drop what a whole list of this version left out, in one namespace or in all; returns what was dropped."""
        version = int(list_version)
        lost = [
            held
            for (place_namespace, _), held in self._objects.items()
            if namespace in (None, place_namespace)
            and held["metadata"]["uid"] not in seen_uids
            and _version(held) <= version
        ]
        for held in lost:
            self._forget(_place(held))
            self._gone[_place(held)] = version
        return lost

    def forget_deletions(self) -> None:
        """Forget what was noted gone before the last call of this: no event is that late."""
        self._gone_before, self._gone = self._gone, {}

    def _gone_at(self, place: Place) -> int:
        """The version at which the last object here was gone, or -1."""
        return max(self._gone.get(place, -1), self._gone_before.get(place, -1))

    def _forget(self, place: Place) -> None:
        """Take the object at this place out, and out of its owner's set."""
        held = self._objects.pop(place, None)
        owner = _owner(held) if held else None
        if owner is None:
            return
        self._by_owner[owner].discard(place)
        if not self._by_owner[owner]:
            del self._by_owner[owner]


def _place(manifest: Manifest) -> Place:
    """Where the object is; objects of the whole cluster have no namespace."""
    metadata = manifest["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _version(manifest: Manifest) -> int:
    """The resourceVersion."""
    return int(manifest["metadata"]["resourceVersion"])


def _owner(manifest: Manifest) -> Key | None:
    """The owner that the labels name."""
    metadata = manifest["metadata"]
    labels = metadata.get("labels") or {}
    kind, name = labels.get(names.LABEL_OWNER_KIND), labels.get(names.LABEL_OWNER_NAME)
    return Key(kind, metadata.get("namespace", ""), name) if kind and name else None


def _slim(manifest: Manifest) -> Manifest:
    """The object without the two parts that are long and that nobody here reads."""
    metadata = {field: value for field, value in manifest["metadata"].items() if field != "managedFields"}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {name: text for name, text in annotations.items() if name != _LAST_APPLIED}
    return {**manifest, "metadata": metadata}
