"""Identical questions in flight are asked once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any


class SingleFlight:
    """Shares one answer between all who ask the same while it is under way; keeps nothing afterwards."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, asyncio.Task[Any]] = {}

    async def join(self, question: Hashable, ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - the answer's type is the question's
        """The answer to the question. One who stops waiting does not take it from the others."""
        return await asyncio.shield(self.begin(question, ask))

    def begin(self, question: Hashable, ask: Callable[[], Awaitable[Any]]) -> "asyncio.Task[Any]":
        """The asking of the question, which is begun unless it is under way."""
        flight = self._flights.get(question)
        if flight is None or flight.done():
            flight = self._flights[question] = asyncio.ensure_future(_run(ask))
            flight.add_done_callback(lambda ended: self._forget(question, ended))
        return flight

    def is_under_way(self, question: Hashable) -> bool:
        """Whether it is being asked right now."""
        flight = self._flights.get(question)
        return flight is not None and not flight.done()

    async def cancel(self) -> None:
        """Stop all that is under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _forget(self, question: Hashable, ended: "asyncio.Task[Any]") -> None:
        """Keep nothing of what has ended."""
        if self._flights.get(question) is ended:
            del self._flights[question]


async def _run(ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - see join
    return await ask()
