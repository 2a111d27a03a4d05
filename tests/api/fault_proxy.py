"""Stands between a client and the API server, and answers for it when told to."""

import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import aiohttp
import yaml
from aiohttp import web

from modelyard.kube.connection import Credentials

Fault = Callable[[web.Request], web.Response | None]
"""The answer to give in the API server's place, or None to let the request through."""

_HOP_BY_HOP = {"transfer-encoding", "content-length", "connection", "content-encoding"}


class FaultProxy:
    """Plain HTTP on loopback, logged in with these credentials."""

    def __init__(self, credentials: Credentials) -> None:
        assert credentials.certificate_file
        self._server = credentials.server
        self._tls = ssl.create_default_context(cafile=credentials.ca_file)
        self._tls.load_cert_chain(credentials.certificate_file, credentials.key_file)
        self.fault: Fault | None = None
        self.requests: list[tuple[str, str]] = []

    async def start(self, folder: Path) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._tls, limit=0))
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.kubeconfig = folder / "proxy.kubeconfig"
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "proxy", "cluster": {"server": url}}],
                    "users": [{"name": "proxy", "user": {}}],
                    "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
                    "current-context": "proxy",
                }
            )
        )

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs))
        if self.fault and (answer := self.fault(request)) is not None:
            return answer
        url = (
            self._server + quote(request.path, safe="/") + (f"?{request.query_string}" if request.query_string else "")
        )
        headers = {name: text for name, text in request.headers.items() if name.lower() not in {"host", *_HOP_BY_HOP}}
        body = await request.read() or None
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.request(request.method, url, headers=headers, data=body, timeout=timeout) as found:
            kept = {name: text for name, text in found.headers.items() if name.lower() not in _HOP_BY_HOP}
            response = web.StreamResponse(status=found.status, headers=kept)
            await response.prepare(request)
            async for chunk in found.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response
