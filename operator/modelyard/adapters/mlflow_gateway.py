"""MLflow behind core's questions: blocks nobody, waits a bounded time, never raises for what MLflow does wrong."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from modelyard.adapters.mlflow.aliases import FollowedAliases, Rhythm
from modelyard.adapters.mlflow.breaker import CircuitBreaker, Pauses
from modelyard.adapters.mlflow.config import MlflowConfig
from modelyard.adapters.mlflow.failures import TRACKING_NOT_CONFIGURED, TRACKING_UNAVAILABLE, Refused, Unreachable
from modelyard.adapters.mlflow.pool import ThreadPool
from modelyard.adapters.mlflow.single_flight import SingleFlight
from modelyard.core.plan import Failure
from modelyard.core.tracking import CheckWorkspaces, MoveAlias, Moved, RegisterVersion, ResolveAlias, TrackingQuestion

__all__ = ["MlflowConfig", "MlflowGateway"]

OnMove = Callable[[Moved], None]
"""Told of an alias."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """A question with where it is asked: what is the same in two workspaces is not the same."""

    question: TrackingQuestion
    workspace: str


_HAS_WORKSPACES = Asked(CheckWorkspaces(), "")


class MlflowGateway:
    """One MLflow server, for one event loop."""

    def __init__(self, config: MlflowConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._pool = ThreadPool(config.threads)
        self._breaker = CircuitBreaker(clock, Pauses(while_probing_seconds=config.deadline_seconds))
        self._flights = SingleFlight()
        self._aliases = FollowedAliases(self._ask_once, Rhythm(config.alias_poll_seconds), self._tell_of_move)
        self._has_workspaces = False
        self._on_move: OnMove = _nobody
        self._moves: defaultdict[Moved, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ask(self, question: TrackingQuestion, workspace: str = "") -> Any | Failure:  # noqa: ANN401 - the question's docstring says
        """The answer, or why there is none, after 3 times `timeout_seconds` at most."""
        if not self._config.is_http:
            return _not_configured(self._config)
        asked = Asked(question, workspace)
        if isinstance(question, ResolveAlias):
            return await self._aliases.ask(asked)
        if isinstance(question, MoveAlias):
            # MLflow compares nothing: between reading the alias and setting it nobody else here may do the same.
            async with self._moves[Moved(question.name, question.alias, workspace)]:
                answer = await self._ask_once(asked)
        else:
            answer = await self._flights.join(asked, lambda: self._ask_once(asked))
        self._look_after(asked)
        return answer

    def tell_of_moves(self, listener: "OnMove") -> None:
        """Call it whenever an alias that somebody follows was found to have moved."""
        self._on_move = listener

    def look_again(self, moved: Moved) -> None:
        """Somebody says that this alias moved: it is read now instead of at its next turn, if anybody follows it."""
        self._aliases.look_again(Asked(ResolveAlias(moved.model, moved.alias), moved.workspace))

    def take_hint(self, moved: Moved) -> None:
        """MLflow says that an alias of this name moved: it is read now in every workspace where anybody follows it.

        Of webhooks MLflow 3.17 keeps one list for all workspaces, so that a delivery may name another than the one in
        which the alias moved.
        """
        wanted = ResolveAlias(moved.model, moved.alias)
        followed = {item.workspace for item in self._aliases.aliases() if isinstance(item, Asked)}
        for workspace in followed | {"", moved.workspace}:
            self._aliases.look_again(Asked(wanted, workspace))

    async def close(self) -> None:
        """Stop asking; a call that is under way ends by itself after its time-out."""
        await self._aliases.close()
        await self._flights.cancel()
        self._pool.close()

    def _look_after(self, asked: Asked) -> None:
        """What the operator itself moved, it knows at once."""
        question = asked.question
        if isinstance(question, RegisterVersion):
            for alias in question.aliases:
                self.look_again(Moved(question.name, alias, asked.workspace))
        if isinstance(question, MoveAlias):
            self.look_again(Moved(question.name, question.alias, asked.workspace))

    def _tell_of_move(self, asked: Asked) -> None:
        question = asked.question
        if isinstance(question, ResolveAlias):
            self._on_move(Moved(question.name, question.alias, asked.workspace))

    async def _ask_once(self, asked: Asked) -> Any | Failure:  # noqa: ANN401 - see ask
        if asked.workspace and (refusal := await self._without_workspaces()):
            return refusal
        known = self._breaker.admit()
        if known is not None:
            return known
        try:
            answer = await self._answer(asked)
        except Unreachable as error:
            self._note_unreachable(error.failure)
            return self._noted(error.failure)
        except Refused as error:
            self._note_answered()
            return self._noted(error.failure)
        self._note_answered()
        return answer

    def _noted(self, failure: Failure) -> Failure:
        """The failure. A server that was away, or fails, may come back as another one: without workspaces."""
        if failure.reason == TRACKING_UNAVAILABLE:
            self._has_workspaces = False
        return failure

    async def _without_workspaces(self) -> Failure | None:
        """Why nothing may be asked in a workspace; asked until the server says that it has them, and not again."""
        if not self._has_workspaces:
            found = await self._flights.join(_HAS_WORKSPACES, lambda: self._ask_once(_HAS_WORKSPACES))
            if isinstance(found, Failure):
                return found
            self._has_workspaces = True
        return None

    async def _answer(self, asked: Asked) -> Any:  # noqa: ANN401 - see ask
        deadline = time.monotonic() + self._config.deadline_seconds
        try:
            return await self._pool.run(
                lambda: _in_thread(asked, self._config, deadline), self._config.deadline_seconds
            )
        except TimeoutError as error:
            message = f"MLflow at {self._config.shown_uri} did not answer in time."
            raise Unreachable(Failure(TRACKING_UNAVAILABLE, message)) from error

    def _note_answered(self) -> None:
        if self._breaker.is_open:
            _logger.warning("MLflow at %s answers again", self._config.shown_uri)
        self._breaker.succeeded()

    def _note_unreachable(self, failure: Failure) -> None:
        was_open = self._breaker.is_open
        self._breaker.failed(failure)
        if self._breaker.is_open and not was_open:
            _logger.warning("%s It is asked every few seconds until it does.", failure.message)


def _in_thread(asked: Asked, config: MlflowConfig, deadline: float) -> Any:  # noqa: ANN401 - see ask
    """Import MLflow's client where it blocks nobody, at the first question."""
    from modelyard.adapters.mlflow.questions import answer  # noqa: PLC0415 - see above

    return answer(asked.question, replace(config, workspace=asked.workspace), deadline)


def _nobody(moved: Moved) -> None:
    """Who is told of moves before anybody asked to be."""


def _not_configured(config: MlflowConfig) -> Failure:
    """The answer to everything when there is no MLflow."""
    said = (
        f"{config.shown_uri!r} is not the http(s) URL of an MLflow server" if config.uri else "No MLflow is configured"
    )
    message = f"{said}: set the operator's tracking URI (MODELYARD_TRACKING_URI)."
    return Failure(TRACKING_NOT_CONFIGURED, message, is_transient=False)
