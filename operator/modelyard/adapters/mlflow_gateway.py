"""MLflow behind core's questions: blocks nobody, waits a bounded time, never raises for what MLflow does wrong."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from modelyard.adapters.mlflow.aliases import FollowedAliases, Rhythm
from modelyard.adapters.mlflow.breaker import CircuitBreaker, Pauses
from modelyard.adapters.mlflow.config import MlflowConfig, without_userinfo
from modelyard.adapters.mlflow.failures import TRACKING_NOT_CONFIGURED, TRACKING_UNAVAILABLE, Refused, Unreachable
from modelyard.adapters.mlflow.pool import ThreadPool
from modelyard.adapters.mlflow.single_flight import SingleFlight
from modelyard.core.plan import Failure
from modelyard.core.tracking import MoveAlias, RegisterVersion, ResolveAlias, Run, TrackingQuestion

__all__ = ["MlflowConfig", "MlflowGateway"]

OnMove = Callable[[str, str], None]
"""Told of a registered model and its alias."""

_logger = logging.getLogger(__name__)


class MlflowGateway:
    """One MLflow server, for one event loop."""

    def __init__(self, config: MlflowConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._pool = ThreadPool(config.threads)
        self._breaker = CircuitBreaker(clock, Pauses(while_probing_seconds=config.deadline_seconds))
        self._flights = SingleFlight()
        self._aliases = FollowedAliases(self._ask_once, Rhythm(config.alias_poll_seconds), self._tell_of_move)
        self._on_move: OnMove = _nobody
        self._moves: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ask(self, question: TrackingQuestion) -> Any | Failure:  # noqa: ANN401 - the question's docstring says
        """The answer, or why there is none, after 3 times `timeout_seconds` at most."""
        if not self._config.is_http:
            return _not_configured(self._config)
        if isinstance(question, ResolveAlias):
            return await self._aliases.ask(question)
        if isinstance(question, MoveAlias):
            # MLflow compares nothing: between reading the alias and setting it nobody else here may do the same.
            async with self._moves[question.name, question.alias]:
                answer = await self._ask_once(question)
        else:
            answer = await self._flights.join(question, lambda: self._ask_once(question))
        self._look_after(question)
        return answer

    def tell_of_moves(self, listener: "OnMove") -> None:
        """Call it with model and alias whenever an alias that somebody follows was found to have moved."""
        self._on_move = listener

    def look_again(self, model: str, alias: str) -> None:
        """Somebody says that this alias moved: it is read now instead of at its next turn, if anybody follows it."""
        self._aliases.look_again(ResolveAlias(model, alias))

    def run_url(self, run: Run) -> str | None:
        """Where a person reads this run, or None without a URL for people."""
        if not self._config.ui_url:
            return None
        base = without_userinfo(self._config.ui_url).rstrip("/")
        return f"{base}/#/experiments/{quote(run.experiment_id, safe='')}/runs/{quote(run.run_id, safe='')}"

    async def close(self) -> None:
        """Stop asking; a call that is under way ends by itself after its time-out."""
        await self._aliases.close()
        await self._flights.cancel()
        self._pool.close()

    def _look_after(self, question: TrackingQuestion) -> None:
        """What the operator itself moved, it knows at once."""
        if isinstance(question, RegisterVersion):
            for alias in question.aliases:
                self.look_again(question.name, alias)
        if isinstance(question, MoveAlias):
            self.look_again(question.name, question.alias)

    def _tell_of_move(self, question: ResolveAlias) -> None:
        self._on_move(question.name, question.alias)

    async def _ask_once(self, question: TrackingQuestion) -> Any | Failure:  # noqa: ANN401 - see ask
        known = self._breaker.admit()
        if known is not None:
            return known
        try:
            answer = await self._answer(question)
        except Unreachable as error:
            self._note_unreachable(error.failure)
            return error.failure
        except Refused as error:
            self._note_answered()
            return error.failure
        self._note_answered()
        return answer

    async def _answer(self, question: TrackingQuestion) -> Any:  # noqa: ANN401 - see ask
        deadline = time.monotonic() + self._config.deadline_seconds
        try:
            return await self._pool.run(
                lambda: _in_thread(question, self._config, deadline), self._config.deadline_seconds
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


def _in_thread(question: TrackingQuestion, config: MlflowConfig, deadline: float) -> Any:  # noqa: ANN401 - see ask
    """Import MLflow's client where it blocks nobody, at the first question."""
    from modelyard.adapters.mlflow.questions import answer  # noqa: PLC0415 - see above

    return answer(question, config, deadline)


def _nobody(model: str, alias: str) -> None:
    """Who is told of moves before anybody asked to be."""


def _not_configured(config: MlflowConfig) -> Failure:
    """The answer to everything when there is no MLflow."""
    said = (
        f"{config.shown_uri!r} is not the http(s) URL of an MLflow server" if config.uri else "No MLflow is configured"
    )
    message = f"{said}: set the operator's tracking URI (MODELYARD_TRACKING_URI)."
    return Failure(TRACKING_NOT_CONFIGURED, message, is_transient=False)
