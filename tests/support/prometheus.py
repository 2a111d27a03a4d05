"""A real Prometheus on loopback, from Debian's package, that reads what a test tells it to."""

import json
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.localcluster.packages import unpacked
from tools.localcluster.paths import cache_root
from tools.localcluster.ports import free_ports

PATIENCE_SECONDS = 60.0
SCRAPE_SECONDS = 1

Target = Mapping[str, str]
"""Labels of what is read; `address` and `path` say where."""


class Prometheus:
    """Reads its targets every second; they can be changed while it runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._targets = folder / "targets.json"
        self._targets.write_text("[]")
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *web: str) -> None:
        """Start it; `web` are further options."""
        files = unpacked("prometheus", cache_root() / "prometheus", self._folder / "package.log")
        config = self._folder / "prometheus.yml"
        config.write_text(json.dumps(_config(self._targets)))
        command = [str(files / "usr/bin/prometheus"), f"--config.file={config}", *web]
        command += [f"--storage.tsdb.path={self._folder / 'data'}", f"--web.listen-address={self._address}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._until_ready(self._process)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)
            self._process = None

    def read(self, targets: Sequence[Target]) -> None:
        """From now on these are read; Prometheus looks at the file again within a second."""
        known = [
            {
                "targets": [target["address"]],
                "labels": {"__metrics_path__": target["path"]}
                | {name: value for name, value in target.items() if name not in {"address", "path"}},
            }
            for target in targets
        ]
        self._targets.write_text(json.dumps(known))

    def value(self, query: str) -> float | None:
        """What a query gives now, None without a series."""
        text = urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{text}", timeout=5) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    @property
    def _address(self) -> str:
        return self.url.removeprefix("http://")

    def _until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            assert process.poll() is None, (self._folder / "log").read_text()
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(f"Prometheus did not start: {(self._folder / 'log').read_text()}")


def _config(targets: Path) -> dict[str, Any]:
    """Everything it needs; JSON is YAML."""
    job = {"job_name": "model-servers", "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}]}
    every = f"{SCRAPE_SECONDS}s"
    return {"global": {"scrape_interval": every, "scrape_timeout": every}, "scrape_configs": [job]}
