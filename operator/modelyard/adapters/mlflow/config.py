"""Where MLflow is and how patient the operator is with it."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class MlflowConfig:
    """The gateway's settings; `main` fills them from the operator's own."""

    uri: str
    """Where the operator reaches MLflow: http or https; empty: there is none."""
    timeout_seconds: float = 10.0
    """For one HTTP call: to connect, and for each wait for data."""
    threads: int = 8
    workspace: str = ""
    """Where a question is asked; empty: in no workspace. The gateway sets it for each question."""
    alias_poll_seconds: float = 15.0
    """Between two readings of the same alias, for as long as anybody asks for it."""
    credentials_dir: Path | None = None
    """A mounted Secret with files named after MLflow's variables; None: the process's environment is used as it is."""

    @property
    def deadline_seconds(self) -> float:
        """For a whole question, which may take several calls and a wait for a free thread."""
        return 3 * self.timeout_seconds

    @property
    def shown_uri(self) -> str:
        """The URI as it may appear in messages: without user and password."""
        return without_userinfo(self.uri)

    @property
    def is_http(self) -> bool:
        """Whether the URI names an MLflow server: MlflowClient would also open files and databases."""
        parts = urlsplit(self.uri)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)


def without_userinfo(url: str) -> str:
    """The same URL with `user:password@` left out."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
