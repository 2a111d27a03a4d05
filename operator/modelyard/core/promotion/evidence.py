"""What a version tells in MLflow of its promotion: the same as status, for whoever reads only the registry."""

from modelyard.api import names
from modelyard.core.conditions import in_bytes
from modelyard.core.plan import Event, Failure
from modelyard.core.promotion import gates
from modelyard.core.promotion.draft import Draft
from modelyard.core.promotion.records import shown
from modelyard.core.tracking import Pairs, TagVersion

GATES, RESULT = "GatesRecorded", "ResultRecorded"
_TAG_BYTES = 1000
_PAUSE_IN_POLLS = 4
"""Between two tries to write the tags: those of many records may wait for the same person."""


def record(draft: Draft, stage: str) -> None:
    """Write the tags of this stage once. MLflow's trouble with it keeps nothing from going on; it is tried again."""
    noted = draft.conditions.get("Recorded") or {}
    if noted.get("status") == "True" and noted["reason"] == stage:
        return
    answer = draft.ask(TagVersion(draft.spec.model.name, draft.spec.model.version, tags_of(draft)))
    if isinstance(answer, Failure):
        draft.conditions.false("Recorded", answer.reason, f"the version's tags are not written: {answer.message}")
        if answer.is_transient:
            draft.look_again_in(_PAUSE_IN_POLLS * draft.context.alias_poll_seconds)
        elif noted.get("reason") != answer.reason:
            draft.events.append(Event("NotRecorded", answer.message, "Warning"))
    elif answer is None:
        draft.conditions.false("Recorded", "VersionNotFound", "there is no version to write tags on")
    else:
        draft.conditions.true("Recorded", stage, "the version's tags tell of it")


def is_to_be_tried_again(draft: Draft) -> bool:
    """Whether the result of one that is over is still to be written on the version."""
    noted = draft.conditions.get("Recorded") or {}
    return noted.get("reason") not in {RESULT, "VersionNotFound"}


def tags_of(draft: Draft) -> Pairs:
    """The tags, by their names; values that are too long are cut."""
    begin = names.PROMOTION_TAGS.format(alias=draft.spec.target.alias)
    complete = draft.conditions.get("Complete") or {}
    told = {
        "promotion": shown(draft.resource),
        "result": complete.get("reason") if draft.is_over else None,
        "previous-version": draft.status.get("previousVersion"),
        "digest": draft.status.get("digest"),
        "by": draft.status.get("by"),
        "comment": draft.spec.approval.comment,
        "promoted-at": draft.status.get("promotedAt"),
    }
    judged = {f"gate.{item['name']}": f"{item['result']}: {gates.told(item)}" for item in draft.status.get("gates", [])}
    return tuple((begin + name, in_bytes(str(text), _TAG_BYTES)) for name, text in (told | judged).items() if text)
