"""Reads answers of servers that nobody vouches for."""

import aiohttp

MOST_BYTES = 1 << 20


async def read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body.

    Raises:
        ValueError: it is larger than any that is expected here.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ValueError(f"it answered more than {MOST_BYTES} bytes")
    return bytes(body)
