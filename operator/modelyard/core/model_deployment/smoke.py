"""One request to a version before anybody else's: the example that was logged with it, sent to its own pods."""

from typing import Any

from modelyard.core.model_card import ReadExample
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.plan import Failure
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import NoSuchRequest, TryServer

PASSED, SKIPPED = "Passed", "Skipped"


class Unanswered(Exception):
    """It is not known yet what becomes of the request; says why."""


def is_wanted(draft: Draft, version: str) -> bool:
    """Whether there is a request to send to this version; that is known since its files were looked at."""
    return draft.spec.validation.smoke_test and bool(_checked(draft, version).get("example"))


def trouble_with(draft: Draft, url: str, version: str) -> Trouble | None:
    """Why the version does not pass, or None: it passed, now or before, or there is nothing to send.

    Raises:
        Unanswered: MLflow or the server does not answer.
    """
    checked = _checked(draft, version)
    if not is_wanted(draft, version) or checked.get("smokeTest"):
        return None
    body = draft.ask(ReadExample(draft.spec.model.name, version, checked["example"]))
    answer = (
        body
        if isinstance(body, Failure) or body is None
        else draft.ask(TryServer(url, body, draft.spec.server.protocol))
    )
    if isinstance(answer, Failure) and answer.is_transient:
        raise Unanswered(answer.message)
    if isinstance(answer, Failure) and answer is not body:
        return Trouble(answer.reason, answer.message)
    is_skipped = answer is None or isinstance(answer, NoSuchRequest | Failure)
    checked["smokeTest"] = SKIPPED if is_skipped else PASSED
    return None


def _checked(draft: Draft, version: str) -> dict[str, Any]:
    """What status says of looking at this version."""
    found: dict[str, Any] = draft.status.get("checked") or {}
    return found if found.get("version") == version else {}
