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
        flight = self._flights.get(question)
        if flight is None:
            flight = asyncio.ensure_future(_run(ask))
            self._flights[question] = flight
            flight.add_done_callback(lambda _: self._flights.pop(question, None))
        return await asyncio.shield(flight)

    async def cancel(self) -> None:
        """Stop all that is under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)


async def _run(ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - see join
    return await ask()
