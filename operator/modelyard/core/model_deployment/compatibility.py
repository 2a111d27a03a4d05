"""Whether a version may start: what its files say against what the server image has, and against the stable version.

A version's files never change, so they are read once; what came of it is kept in status.
"""

from dataclasses import dataclass, field

from modelyard.api.model_deployment import Policy
from modelyard.core.matching import digest
from modelyard.core.model_card import ModelCard, ReadModelCard
from modelyard.core.model_deployment import environment, pod
from modelyard.core.model_deployment.backend import version_label
from modelyard.core.model_deployment.draft import Draft, Refusal
from modelyard.core.model_deployment.protocol import image_of
from modelyard.core.model_deployment.signature import breaking_changes
from modelyard.core.plan import Event, Failure, Manifest
from modelyard.core.server_image import described
from modelyard.core.tracking import RegisteredVersion

_PASSED, _WARNED, _REFUSED = "Passed", "Warned", "Refused"


@dataclass
class _Findings:
    """What was found, each a sentence."""

    problems: list[str] = field(default_factory=list)
    """Of the image."""
    changes: list[str] = field(default_factory=list)
    """Of the signature."""
    notes: list[str] = field(default_factory=list)
    """What may do no harm."""
    unknown: tuple[str, str] | None = None
    """Reason and message where it cannot be told."""
    example: str | None = None
    """The path of the request to try it with."""


def check(draft: Draft, wanted: RegisteredVersion) -> Refusal | None:
    """Why the version may not start, or None; says in Compatible what was found."""
    if not _is_judged(draft):
        draft.conditions.drop("Compatible")
        if not draft.spec.validation.smoke_test:
            draft.status.pop("checked", None)
            return None
    if not _is_known(draft, wanted):
        failure = _find_out(draft, wanted)
        if failure is not None:
            return _unless_it_runs(draft, wanted, failure)
    if (draft.status.get("checked") or {}).get("verdict") != _REFUSED:
        return None
    told = draft.conditions.get("Compatible") or {}
    return _unless_it_runs(draft, wanted, Refusal(told.get("reason", ""), told.get("message", ""), is_final=True))


def _is_judged(draft: Draft) -> bool:
    """Whether anything is compared; otherwise the files are only read for the example in them."""
    return {draft.spec.validation.compatibility, draft.spec.validation.signature} != {"Ignore"}


def _is_known(draft: Draft, wanted: RegisteredVersion) -> bool:
    """Whether status says already what came of it. A version that passed is not compared with itself once it serves."""
    checked = draft.status.get("checked") or {}
    if checked.get("version") != wanted.version or _is_judged(draft) != bool(draft.conditions.get("Compatible")):
        return False
    if checked.get("digest") != _digest(draft, wanted):
        return False
    return checked.get("against") == _other(draft, wanted) or checked.get("verdict") == _PASSED


def _digest(draft: Draft, wanted: RegisteredVersion) -> str:
    """Changes with everything that the verdict depends on but the version that serves."""
    image = server_image(draft)
    facts = described(draft.context.server_images, image)
    told = facts.model_dump(mode="json") if facts else {}
    has = sorted(told.pop("flavours", None) or [])
    policies = draft.spec.validation.model_dump()
    return digest([draft.spec.model.name, wanted.version, wanted.model_id, image, told, has, policies])


def _find_out(draft: Draft, wanted: RegisteredVersion) -> Refusal | None:
    """Read, judge, say and remember; a refusal for now where MLflow does not answer."""
    found = _findings(draft, wanted)
    if isinstance(found, Failure):
        if _is_judged(draft):
            draft.conditions.unknown("Compatible", found.reason, f"version {wanted.version}: {found.message}")
        draft.status.pop("checked", None)
        is_asked = "Enforce" in {draft.spec.validation.compatibility, draft.spec.validation.signature}
        return Refusal(found.reason, found.message, is_final=False) if is_asked else None
    verdict = _say(draft, wanted, found)
    other = _other(draft, wanted)
    against = {"against": other} if other else {}
    example = {"example": found.example} if found.example else {}
    known = {"version": wanted.version, "digest": _digest(draft, wanted), "verdict": verdict}
    draft.status["checked"] = known | against | example
    return None


def _findings(draft: Draft, wanted: RegisteredVersion) -> _Findings | Failure:
    """What the files say; a Failure that may pass."""
    card = _card(draft, wanted.version)
    if isinstance(card, Failure):
        return card if card.is_transient else _Findings(unknown=(card.reason, card.message))
    if card is None:
        return _Findings(unknown=("ModelIncomplete", "its files have no MLmodel: log the model again"))
    found = _Findings(example=card.example)
    if draft.spec.validation.smoke_test and card.example is None:
        found.notes.append("no input example was logged with it, so that no request is tried")
    if draft.spec.validation.compatibility != "Ignore":
        _judge_the_image(draft, card, found)
    other = _other(draft, wanted)
    if draft.spec.validation.signature != "Ignore" and other:
        before = _card(draft, other)
        if isinstance(before, Failure) and before.is_transient:
            return before
        _judge_the_signature(card, before, other, found)
    return found


def _card(draft: Draft, version: str) -> ModelCard | Failure | None:
    """What a version says of itself."""
    answer: ModelCard | Failure | None = draft.ask(ReadModelCard(draft.spec.model.name, version))
    return answer


def _judge_the_image(draft: Draft, card: ModelCard, found: _Findings) -> None:
    """The version against the image that is to serve it."""
    image = server_image(draft)
    facts = described(draft.context.server_images, image)
    found.problems += environment.problems_of(card, facts)
    if facts is None:
        cure = "an administrator can describe it in the chart's serving.images"
        found.unknown = ("ImageNotDescribed", f"what the server image {image} can run is not known: {cure}")
    else:
        found.notes += environment.notes_of(card, facts)


def _judge_the_signature(card: ModelCard, before: ModelCard | Failure | None, other: str, found: _Findings) -> None:
    """The version against the one that serves."""
    if isinstance(before, ModelCard):
        found.changes += breaking_changes(before.signature, card.signature)
    else:
        found.notes.append(f"the signature is compared with nothing: version {other} has no MLmodel that can be read")


def _say(draft: Draft, wanted: RegisteredVersion, found: _Findings) -> str:
    """Say it in Compatible; the verdict."""
    if not _is_judged(draft):
        return _PASSED
    policies = draft.spec.validation
    refused = _enforced(policies.compatibility, found.problems) or _enforced(policies.signature, found.changes)
    if found.problems or found.changes:
        is_of_image = bool(found.problems) and (not refused or _enforced(policies.compatibility, found.problems))
        reason, message = "Incompatible" if is_of_image else "SignatureChanged", _in_words(draft, wanted, found)
        draft.conditions.false("Compatible", reason, message)
        if refused:
            return _REFUSED
        draft.events.append(Event(reason, message, "Warning"))
        return _WARNED
    notes = "; ".join(found.notes)
    if found.unknown:
        reason, message = found.unknown
        told = f"version {wanted.version}: {message}"
        draft.conditions.unknown("Compatible", reason, f"{told}; {notes}" if notes else told)
    else:
        message = f"version {wanted.version} suits the server image {server_image(draft)}"
        draft.conditions.true("Compatible", "Compatible", f"{message}; {notes}" if notes else message)
    return _PASSED


def _enforced(policy: Policy, problems: list[str]) -> bool:
    """Whether these problems keep a version from starting."""
    return policy == "Enforce" and bool(problems)


def _in_words(draft: Draft, wanted: RegisteredVersion, found: _Findings) -> str:
    """What is wrong, and what to do about it."""
    parts = []
    if found.problems:
        cure = "log the model again for this image, or name one that suits it in spec.server.image"
        parts.append(f"it does not suit the server image {server_image(draft)}: {'; '.join(found.problems)} ({cure})")
    if found.changes:
        cure = "where no client minds, set spec.validation.signature to Warn"
        parts.append(f"clients of version {_other(draft, wanted)} would break: {'; '.join(found.changes)} ({cure})")
    return f"version {wanted.version}: {'; '.join(parts)}"


def _other(draft: Draft, wanted: RegisteredVersion) -> str | None:
    """The version that serves, if it is another one."""
    return draft.stable_version if draft.stable_version != wanted.version else None


def server_image(draft: Draft) -> str:
    """The image that is to serve."""
    return image_of(draft.spec, draft.context)


def runs(draft: Draft, version: str) -> bool:
    """Whether pods of this version with the wanted image are there: what was started is not stopped by a check."""
    image = server_image(draft)
    return any(version_label(item) == version and _image_of(item) == image for item in draft.observed.pods)


def _image_of(manifest: Manifest) -> str | None:
    """The image of a pod's server."""
    containers = (manifest.get("spec") or {}).get("containers") or []
    return next((item.get("image") for item in containers if item.get("name") == pod.SERVER), None)


def _unless_it_runs(draft: Draft, wanted: RegisteredVersion, refusal: Refusal) -> Refusal | None:
    """The refusal, unless the version was started before."""
    return None if runs(draft, wanted.version) else refusal
