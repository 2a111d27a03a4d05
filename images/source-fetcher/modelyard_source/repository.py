"""One git repository: from a branch, a tag or a commit to files in a folder, and the commit that they are of.

git reads no settings but those given here, runs no hooks, asks nobody for a password, speaks https, http and ssh only,
and leaves submodules alone.
"""

import os
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modelyard_report import printable, say

from modelyard_source.credentials import FIELD as SECRET_FIELD
from modelyard_source.credentials import settings
from modelyard_source.errors import BusyError, SourceError, WrongSourceError

URL_FIELD = "spec.source.git.url"
REVISION_FIELD = "spec.source.git.revision"
PATH_FIELD = "spec.source.git.path"
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
PROTOCOLS = "https:http:ssh"
RETRY_DELAYS_SECONDS = (1.0, 3.0, 10.0)
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "credential.helper=",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "submodule.recurse=false",
    "gc.auto=0",
    "advice.detachedHead=false",
)
_NO_SINGLE_COMMIT = ("not our ref", "unadvertised object", "does not allow request", "dumb http", "remote ref")
"""Servers that hand out no commit by its name, or no part of a history."""
_MOST_BRANCHES_SHOWN = 5


@dataclass(frozen=True)
class Repository:
    """A repository on a server."""

    url: str
    credentials: Path | None
    scratch: Path
    """A folder for git's own files; they do not get into the workspace."""
    deadline: float
    """A reading of the monotonic clock."""

    def resolve(self, revision: str | None) -> str:
        """The commit that a branch, a tag or a commit is now; of nothing, that of the default branch."""
        if revision and COMMIT.fullmatch(revision):
            return revision
        names = ["HEAD"] if not revision else [revision] if revision.startswith("refs/") else _names(revision)
        found = self._references(*names, *(f"{name}^{{}}" for name in names if name != "HEAD"))
        commits = {found.get(f"{name}^{{}}") or found[name] for name in names if name in found}
        if len(commits) > 1:
            raise WrongSourceError(
                f"{REVISION_FIELD}: {revision} is a branch and a tag in {self.url}: write {' or '.join(names)}"
            )
        if not commits:
            raise WrongSourceError(self._unknown(revision))
        return commits.pop()

    def lay_out(self, commit: str, folder: Path) -> None:
        """The files of a commit in a folder."""
        self._git("init", "--quiet", str(self.scratch / "work"))
        try:
            self._git_in_work("fetch", "--quiet", "--depth=1", "--no-tags", "--", self.url, commit)
        except SourceError as error:
            if not any(text in str(error) for text in _NO_SINGLE_COMMIT):
                raise
            self._fetch_everything(commit)
        tree = f"--work-tree={folder}"
        self._git_in_work(tree, "checkout", "--quiet", "--force", "--detach", commit)

    def _fetch_everything(self, commit: str) -> None:
        """For servers that hand out no single commits, and commits that no branch ends with."""
        say(f"{self.url} does not hand out {commit} alone: everything is fetched")
        everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        self._git_in_work("fetch", "--quiet", "--update-head-ok", "--", self.url, *everything)
        try:
            self._git_in_work("cat-file", "-e", f"{commit}^{{commit}}")
        except SourceError as error:
            raise WrongSourceError(
                f"{REVISION_FIELD}: {self.url} has no commit {commit}, or no branch leads to it"
            ) from error

    def _references(self, *patterns: str) -> dict[str, str]:
        """References of the server and their objects."""
        listed = self._git("ls-remote", "--", self.url, *patterns)
        pairs = (line.split("\t") for line in listed.splitlines())
        return {name: commit for commit, name in pairs}

    def _unknown(self, revision: str | None) -> str:
        """What to say of a revision that is none."""
        if revision is None:
            return f"{REVISION_FIELD}: {self.url} has no default branch: name a branch, a tag or a commit"
        branches = sorted(name.removeprefix("refs/heads/") for name in self._references("refs/heads/*"))
        shown = ", ".join(branches[:_MOST_BRANCHES_SHOWN]) + (" …" if len(branches) > _MOST_BRANCHES_SHOWN else "")
        is_short = re.fullmatch(r"[0-9a-f]{4,63}", revision)
        hint = "; a commit is named by all of its 40 digits" if is_short else ""
        return f"{REVISION_FIELD}: {self.url} has no branch or tag {revision}{hint}; its branches: {shown or 'none'}"

    def _git_in_work(self, *arguments: str) -> str:
        return self._git(f"--git-dir={self.scratch / 'work' / '.git'}", *arguments)

    def _git(self, *arguments: str) -> str:
        """What git prints. What may have been bad luck is tried again."""
        for delay in (*RETRY_DELAYS_SECONDS, None):
            try:
                return self._git_once(*arguments)
            except BusyError as error:
                if delay is None or time.monotonic() + delay > self.deadline:
                    raise
                say(f"{error}; again in {delay} s")
                time.sleep(delay)
        raise AssertionError("the last round returns or raises")

    def _git_once(self, *arguments: str) -> str:
        extra, variables = settings(self.url, self.credentials, self.scratch)
        options = [part for setting in (*_SETTINGS, *extra) for part in ("-c", setting)]
        left = max(1.0, self.deadline - time.monotonic())
        try:
            done = subprocess.run(
                ["git", *options, *arguments],
                env=environment(self.scratch, variables),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"{URL_FIELD}: {self.url} is too slow: the time for fetching is over") from error
        if done.returncode != 0:
            raise explained(
                self.url,
                printable(done.stderr.decode("utf-8", "replace")),
                has_credentials=self.credentials is not None,
            )
        return done.stdout.decode("utf-8", "replace")


def environment(scratch: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """All that git and what it starts get to see."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH") or is_proxy(name)}
    return {
        **kept,
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        **variables,
    }


def is_proxy(name: str) -> bool:
    """Whether this variable says how to reach the outside."""
    return name.lower() in ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


def explained(url: str, said: str, *, has_credentials: bool) -> SourceError:
    """What git complains of, as an error that names the field to correct."""
    for kind, field, text, words in _CAUSES:
        if any(word in said for word in words):
            cause = text if field != SECRET_FIELD or has_credentials else _IS_PRIVATE
            return kind(f"{field}: {url} {cause} ({said[-300:]})")
    return SourceError(f"{URL_FIELD}: {url}: git says: {said[-500:] or 'nothing'}")


_IS_PRIVATE = "asks who is there: name a Secret of this namespace with username and password"
_CAUSES = (
    (BusyError, URL_FIELD, "names a host that is not known", ("Could not resolve",)),
    (
        SourceError,
        SECRET_FIELD,
        "does not know its server by the Secret's known_hosts: add the server's key there",
        ("Host key verification failed",),
    ),
    (
        SourceError,
        SECRET_FIELD,
        "refuses the Secret's credentials: correct them, or give them the right to read",
        (
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "terminal prompts disabled",
            "Permission denied",
            "error: 401",
            "error: 403",
            "HTTP 401",
            "HTTP 403",
            "Load key",
        ),
    ),
    (
        SourceError,
        URL_FIELD,
        f"has a certificate that nobody here vouches for: put its authority into ca.crt of a Secret in {SECRET_FIELD}",
        ("SSL certificate problem", "certificate verification failed", "certificate subject name"),
    ),
    (
        SourceError,
        URL_FIELD,
        f"is no repository, or one that is hidden from strangers: correct it, or name a Secret in {SECRET_FIELD}",
        ("not found", "error: 404", "HTTP 404", "does not appear to be a git repository"),
    ),
    (
        BusyError,
        URL_FIELD,
        "does not answer",
        (
            "Failed to connect",
            "Could not connect",
            "Connection refused",
            "Connection timed out",
            "Connection reset",
            "Operation too slow",
            "Empty reply",
            "error: 429",
            "error: 500",
            "error: 502",
            "error: 503",
            "error: 504",
        ),
    ),
)
"""How sure it is that trying again does not help, the field, what is said of the address, and how git puts it."""


def _names(revision: str) -> list[str]:
    """The full names that a short one may stand for."""
    return [f"refs/heads/{revision}", f"refs/tags/{revision}"]


def folder_in(root: Path, path: str | None, commit: str) -> Path:
    """The folder that the code is run in; links may not lead out of the repository."""
    if not path:
        return root
    folder = (root / path).resolve()
    if not folder.is_relative_to(root.resolve()):
        raise WrongSourceError(f"{PATH_FIELD}: {path} leads out of the repository: name a folder in it")
    if not folder.is_dir():
        kind = "is a file" if folder.exists() else "is not there"
        raise WrongSourceError(f"{PATH_FIELD}: {path} {kind} at commit {commit}: name a folder of the repository")
    return folder
