"""Which files a version has to have: those whose digest a Promotion of this namespace recorded.

Tags in MLflow say the same, but anybody may set those.
"""

from collections.abc import Callable
from typing import Any

from modelyard.core.model_deployment import pod
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.plan import Manifest
from modelyard.core.promotion.records import aim_of, digest_of, is_promoted, is_promoting, rank, version_of

_OPTION = "--digest"


def with_digests(draft: Draft, manifest: Manifest, live: Manifest | None) -> Manifest:
    """The manifest with whatever downloads a version told the digest of its files, where one was recorded.

    Pods that serve are not restarted because a digest became known, or another one: what they were told stays. That is
    read from status first: whoever may edit the live object could have taken it away there.
    """
    told = _told(live or {})

    def wanted(version: str) -> str | None:
        stable = draft.status.get("stable") or {}
        if stable.get("version") != version or (version not in told and "digest" not in stable):
            found = _recorded(draft, version)
        else:
            found = stable.get("digest") or told[version]
        draft.digests[version] = found
        return found

    changed: Manifest = _with_option(manifest, wanted)
    return changed


def is_vouched_for(draft: Draft, version: str) -> bool:
    """Whether a Promotion moved an alias to this version: the one that is followed, or any for a number in spec."""
    return any(is_promoted(item) for item in _about(draft, version))


def is_about_to_be(draft: Draft, version: str) -> bool:
    """Whether that is a matter of moments: the alias moves before its Promotion says that it did."""
    return any(is_promoting(item) for item in _about(draft, version))


def _about(draft: Draft, version: str) -> list[Manifest]:
    """The Promotions that recorded a digest of this version, to the alias that is followed."""
    alias = draft.spec.model.alias
    found = [item for item in draft.observed.promotions if version_of(item) == version and digest_of(item)]
    return [item for item in found if alias in (None, aim_of(item)[1])]


def _recorded(draft: Draft, version: str) -> str | None:
    """The digest that Promotions recorded: the newest that moved an alias counts, else the newest."""
    found = [item for item in draft.observed.promotions if version_of(item) == version and digest_of(item)]
    best = max(found, key=lambda item: (is_promoted(item), rank(item)), default=None)
    return digest_of(best) if best else None


def _with_option(node: Any, wanted: Callable[[str], str | None]) -> Any:  # noqa: ANN401 - any JSON
    """The same with the option on every fetcher, wherever a backend puts it."""
    if isinstance(node, list):
        return [_with_option(item, wanted) for item in node]
    if not isinstance(node, dict):
        return node
    if _is_fetcher(node) and (digest := wanted(_argument(node, "--version") or "")):
        return node | {"args": [*node["args"], _OPTION, digest]}
    return {name: _with_option(value, wanted) for name, value in node.items()}


def _told(node: Any) -> dict[str, str | None]:  # noqa: ANN401 - any JSON
    """What the fetchers of a live object were told, by version."""
    if isinstance(node, list):
        return {version: digest for item in node for version, digest in _told(item).items()}
    if not isinstance(node, dict):
        return {}
    if _is_fetcher(node):
        return {_argument(node, "--version") or "": _argument(node, _OPTION)}
    return {version: digest for item in node.values() for version, digest in _told(item).items()}


def _is_fetcher(node: dict[str, Any]) -> bool:
    return node.get("name") == pod.FETCHER and isinstance(node.get("args"), list)


def _argument(container: dict[str, Any], option: str) -> str | None:
    """The value that follows an option."""
    arguments = container["args"]
    return arguments[arguments.index(option) + 1] if option in arguments[:-1] else None
