"""An alias that was moved past its Promotions: by hand, by other code."""

from modelyard.core.conditions import find
from modelyard.core.plan import Event, Failure, Manifest
from modelyard.core.promotion.records import is_promoted, is_promoting, shown, version_of
from modelyard.core.promotion_policy.draft import Draft
from modelyard.core.tracking import AliasHolder, MoveAlias, ReadAlias, RegisteredVersion

CONDITION, MOVED, REVERTED, GOVERNED = "Conflict", "MovedByHand", "Reverted", "AsPromoted"


def judge(draft: Draft, champion: RegisteredVersion | None) -> RegisteredVersion | None:
    """Say in the condition Conflict whether the alias is where its last Promotion put it; what it points at then.

    Before the first Promotion there is nothing to compare with: whoever set it began.
    """
    last, fitting = last_move(draft), _fitting(draft)
    if last is None or any(is_promoting(item) for item in draft.observed.moves):
        return champion
    if _number(champion) not in fitting:
        # What is shared may be older than the Promotion: what speaks against somebody is read anew.
        now = draft.ask(ReadAlias(draft.spec.model.name, draft.spec.target.alias))
        champion = champion if isinstance(now, Failure) else now
    if _number(champion) in fitting:
        _as_promoted(draft, last)
        return champion
    return _moved(draft, champion, last)


def last_move(draft: Draft) -> Manifest | None:
    """The Promotion that moved the alias last."""
    return max(_done(draft), key=lambda item: (_when(item), item["metadata"]["uid"]), default=None)


def is_found(draft: Draft) -> bool:
    """Whether the alias is elsewhere now, by nobody's Promotion."""
    return (draft.conditions.get(CONDITION) or {}).get("status") == "True"


def message(draft: Draft) -> str:
    """What is said of it."""
    return str((draft.conditions.get(CONDITION) or {}).get("message", ""))


def _moved(draft: Draft, champion: RegisteredVersion | None, last: Manifest) -> RegisteredVersion | None:
    """It was moved past its Promotions: report it, and undo it where the policy says so."""
    number = _number(champion)
    points = f"points at version {number}" if number else "is not set"
    aim = f"{draft.spec.model.name}@{draft.spec.target.alias}"
    said = f"{aim} {points}, which no Promotion did; the last one, {shown(last)}, was of version {version_of(last)}"
    if draft.spec.target.on_manual_move == "Revert" and not draft.spec.suspend:
        return _revert(draft, champion, last, said)
    cure = f"move it back, promote version {number}" if number else "set it again"
    _tell(draft, "True", MOVED, f"{said}: {cure}, or set spec.target.onManualMove to Revert")
    return champion


def _revert(draft: Draft, champion: RegisteredVersion | None, last: Manifest, said: str) -> RegisteredVersion | None:
    """Move it back; if somebody is faster, the next look judges anew."""
    version = version_of(last)
    move = MoveAlias(draft.spec.model.name, draft.spec.target.alias, version, _number(champion))
    answer = draft.ask(move)
    if isinstance(answer, AliasHolder) and answer.version == version:
        _tell(draft, "False", REVERTED, f"{said}: it was moved back")
        return RegisteredVersion(draft.spec.model.name, version, None, None)
    why = f"{answer.reason}: {answer.message}" if isinstance(answer, Failure) else "somebody else moves it, too"
    _tell(draft, "True", MOVED, f"{said}; it could not be moved back: {why}")
    return champion


def _as_promoted(draft: Draft, last: Manifest) -> None:
    """It is where it belongs; what was undone stays said until the next Promotion."""
    known = find(draft.before, CONDITION)
    is_undone = known.get("reason") == REVERTED and f"was of version {version_of(last)}:" in known["message"]
    if not is_undone:
        draft.conditions.false(CONDITION, GOVERNED, f"it points at version {version_of(last)}, as {shown(last)} says")


def _tell(draft: Draft, status: str, reason: str, text: str) -> None:
    """Say it in the condition, and in an Event once per move."""
    if find(draft.before, CONDITION).get("message") != text:
        draft.events.append(Event(reason, text, "Warning"))
    state = draft.conditions.true if status == "True" else draft.conditions.false
    state(CONDITION, reason, text)


def _done(draft: Draft) -> list[Manifest]:
    """The Promotions that moved the alias."""
    return [item for item in draft.observed.moves if is_promoted(item)]


def _fitting(draft: Draft) -> set[str]:
    """The versions of the last Promotions: of two within one second nobody can tell which was the later."""
    newest = max((_when(item) for item in _done(draft)), default="")
    return {version_of(item) for item in _done(draft) if _when(item) == newest}


def _when(promotion: Manifest) -> str:
    return str(promotion["status"].get("promotedAt", ""))


def _number(version: RegisteredVersion | None) -> str | None:
    return version.version if version else None
