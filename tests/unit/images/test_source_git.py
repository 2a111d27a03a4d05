"""modelyard-source git, against git's own server on loopback."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.fetchers import python_path
from support.git_server import GitServer, Origin, git, serving


@dataclass(frozen=True)
class Outcome:
    code: int
    said: dict[str, Any]
    output: str

    @property
    def message(self) -> str:
        return str(self.said["message"])


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin.make(tmp_path / "origin")
    made.commit({"train.py": "print(1)", "ml/train.py": "print(2)"})
    return made


@pytest.fixture
def server(origin: Origin) -> Iterator[GitServer]:
    with serving(GitServer(origin.root)) as made:
        yield made


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


Fetch = Callable[..., Outcome]


@pytest.fixture
def fetch(work: Path, tmp_path: Path) -> Fetch:
    """Runs the program as the init container does."""

    def run(url: str, *extra: str, **variables: str) -> Outcome:
        log = tmp_path / "termination"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": python_path("source-fetcher"), "TMPDIR": str(tmp_path)}
        environment |= {"MODELYARD_TERMINATION_LOG": str(log)} | variables
        program = "import sys, modelyard_source.repository as r; r.RETRY_DELAYS_SECONDS = (0.0,); "
        program += "from modelyard_source.__main__ import main; import os; sys.exit(main(sys.argv[1:], os.environ))"
        command = [sys.executable, "-P", "-c", program, "git", f"--url={url}", f"--to={work}", *extra]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        said = json.loads(log.read_text()) if log.exists() else {}
        return Outcome(done.returncode, said, done.stdout + done.stderr)

    return run


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def secret(tmp_path: Path, certificate: Path) -> Callable[..., Path]:
    """A folder as the kubelet mounts a Secret's keys, the guarded server's authority among them."""

    def make(**keys: str) -> Path:
        folder = tmp_path / "secret"
        folder.mkdir(exist_ok=True)
        (folder / "ca.crt").write_text(Path(f"{certificate}.crt").read_text())
        for name, text in keys.items():
            (folder / name).write_text(text)
        return folder

    return make


def test_the_default_branch_is_laid_out_and_its_commit_told(
    fetch: Fetch, server: GitServer, origin: Origin, work: Path
) -> None:
    head = git(origin.work, "rev-parse", "HEAD")
    outcome = fetch(server.url)
    assert outcome.code == 0, outcome.output
    assert outcome.said["revision"] == head
    assert files(work) == {"train.py", "ml/train.py"}, "and nothing of git's own"


def test_a_branch_a_tag_and_a_commit_lead_to_their_commit(fetch: Fetch, server: GitServer, origin: Origin) -> None:
    first = git(origin.work, "rev-parse", "HEAD")
    git(origin.work, "tag", "--annotate", "v1", "--message", "one")
    second = origin.commit({"train.py": "print(3)"}, "feature/new")
    origin.commit({"train.py": "print(4)"}, "main")
    for revision, commit in (("feature/new", second), ("v1", first), ("refs/tags/v1", first), (first, first)):
        assert fetch(server.url, f"--revision={revision}").said.get("revision") == commit, revision


def test_a_commit_is_found_that_no_branch_ends_with(
    fetch: Fetch, server: GitServer, origin: Origin, work: Path
) -> None:
    first = git(origin.work, "rev-parse", "HEAD")
    origin.commit({"train.py": "print(5)"})
    assert fetch(server.url, f"--revision={first}").said["revision"] == first
    assert (work / "train.py").read_text() == "print(1)"


def test_a_server_that_hands_out_no_single_commits_is_fetched_whole(
    fetch: Fetch, server: GitServer, origin: Origin, work: Path
) -> None:
    first = git(origin.work, "rev-parse", "HEAD")
    origin.commit({"train.py": "print(5)"})
    server.is_old = True
    outcome = fetch(server.url, f"--revision={first}")
    assert outcome.said["revision"] == first
    assert "everything is fetched" in outcome.output
    assert (work / "train.py").read_text() == "print(1)"


def test_a_server_of_plain_files_is_enough(fetch: Fetch, origin: Origin, work: Path) -> None:
    git(origin.bare, "update-server-info")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(origin.root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        outcome = fetch(f"http://127.0.0.1:{listener.server_port}/team/digits.git", "--revision=main")
        listener.shutdown()
    assert outcome.said.get("revision") == git(origin.work, "rev-parse", "HEAD"), outcome.output
    assert files(work) == {"train.py", "ml/train.py"}


def test_submodules_hooks_and_filters_are_left_alone(
    fetch: Fetch, server: GitServer, origin: Origin, work: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    text = f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch {marker}"\n'
    (origin.work / ".gitmodules").write_text(text)
    (origin.work / ".gitattributes").write_text("* filter=evil\n")
    origin.commit({"hooks/post-checkout": f"#!/bin/sh\ntouch {marker}\n"})
    assert fetch(server.url).code == 0
    assert not marker.exists()
    assert (work / ".gitmodules").exists()


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (["--revision=nowhere"], ("spec.source.git.revision: ", "has no branch or tag nowhere; its branches: main")),
        (["--revision=abc1234"], ("spec.source.git.revision: ", "a commit is named by all of its 40 digits")),
        (["--revision=" + "ab" * 20], ("spec.source.git.revision: ", "has no commit abab")),
        (["--path=src"], ("spec.source.git.path: ", "src is not there at commit")),
        (["--path=train.py"], ("spec.source.git.path: ", "train.py is a file at commit")),
        (["--path=out"], ("spec.source.git.path: ", "out leads out of the repository")),
    ],
)
def test_what_is_not_there_is_named(
    fetch: Fetch, server: GitServer, origin: Origin, extra: list[str], told: tuple[str, str]
) -> None:
    (origin.work / "out").symlink_to("/etc")
    origin.commit()
    outcome = fetch(server.url, *extra)
    assert (outcome.code, outcome.said["reason"]) == (1, "SourceInvalid")
    assert outcome.message.startswith(told[0])
    assert told[1] in outcome.message


def test_a_name_of_two_things_is_refused(fetch: Fetch, server: GitServer, origin: Origin) -> None:
    git(origin.work, "tag", "release")
    origin.commit({"train.py": "print(6)"}, "release")
    message = fetch(server.url, "--revision=release").message
    assert message.startswith("spec.source.git.revision: release is a branch and a tag")
    assert message.endswith("write refs/heads/release or refs/tags/release")


def test_a_repository_that_is_not_there_is_named(fetch: Fetch, server: GitServer) -> None:
    message = fetch(f"{server.base}/team/other.git").message
    assert message.startswith(f"spec.source.git.url: {server.base}/team/other.git is no repository")


def test_a_host_that_is_not_known_is_named(fetch: Fetch) -> None:
    message = fetch("https://no-such-host.invalid/a").message
    assert message.startswith("spec.source.git.url: https://no-such-host.invalid/a names a host that is not known")


def test_a_server_that_is_not_there_is_asked_again_and_named(fetch: Fetch, server: GitServer) -> None:
    server.answer = 503
    outcome = fetch(server.url)
    assert "does not answer" in outcome.message
    assert "again in 0.0 s" in outcome.output


@pytest.mark.parametrize("url", ["file:///etc", "ext::sh -c id", "/etc", "ftp://127.0.0.1/a"])
def test_other_protocols_are_not_spoken(fetch: Fetch, url: str) -> None:
    outcome = fetch(url)
    assert outcome.code == 1
    assert "transport" in outcome.message


@pytest.fixture
def guarded(origin: Origin, certificate: Path) -> Iterator[GitServer]:
    """The same repository behind TLS and a password."""
    with serving(GitServer(origin.root, password="s3cret word"), certificate) as made:
        yield made


@pytest.mark.parametrize("key", ["password", "token"])
def test_credentials_are_used_and_told_to_nobody(
    fetch: Fetch, guarded: GitServer, secret: Callable[..., Path], key: str, tmp_path: Path
) -> None:
    folder = secret(username="alice\n", **{key: "s3cret word\n"})
    spy = tmp_path / "bin"
    spy.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    (spy / "git").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/argv\nenv >> {tmp_path}/argv\nexec {real} "$@"\n')
    (spy / "git").chmod(0o755)
    outcome = fetch(guarded.url, f"--credentials={folder}", PATH=f"{spy}:{os.environ['PATH']}")
    assert outcome.code == 0, outcome.output
    assert "s3cret" not in outcome.output + (tmp_path / "argv").read_text() + json.dumps(outcome.said)


@pytest.mark.parametrize(
    "keys", [{"username": "alice", "password": "wrong"}, {"username": "alice"}], ids=["wrong", "none"]
)
def test_credentials_that_are_refused_are_named(
    fetch: Fetch, guarded: GitServer, secret: Callable[..., Path], keys: dict[str, str]
) -> None:
    outcome = fetch(guarded.url, f"--credentials={secret(**keys)}")
    assert outcome.message.startswith("spec.source.git.secretRef: ")
    assert "refuses the Secret's credentials" in outcome.message


def test_a_private_repository_without_credentials_asks_for_a_secret(fetch: Fetch, origin: Origin) -> None:
    with serving(GitServer(origin.root, password="s3cret word")) as server:
        message = fetch(server.url).message
    assert message.startswith("spec.source.git.secretRef: ")
    assert "name a Secret of this namespace with username and password" in message


def test_a_server_that_nobody_vouches_for_is_named(
    fetch: Fetch, guarded: GitServer, secret: Callable[..., Path]
) -> None:
    folder = secret(username="alice", password="s3cret word")
    (folder / "ca.crt").unlink()
    message = fetch(guarded.url, f"--credentials={folder}").message
    assert message.startswith("spec.source.git.url: ")
    assert "ca.crt of a Secret in spec.source.git.secretRef" in message
    assert guarded.authorizations == []


def test_credentials_are_not_for_another_server(fetch: Fetch, origin: Origin, secret: Callable[..., Path]) -> None:
    """A redirect must not carry them away; git asks anew for the other host and gets no answer."""
    folder = secret(username="alice", password="s3cret word")
    with serving(GitServer(origin.root, password="s3cret word")) as server:
        outcome = fetch(server.url.replace("127.0.0.1", "localhost"), f"--credentials={folder}")
        assert outcome.code == 0, "the server that the address names gets them"
        server.authorizations.clear()
        asked = ["protocol=http\n", f"host={server.base.removeprefix('http://')}\n", "\n"]
        environment = {"MODELYARD_CREDENTIALS": str(folder), "MODELYARD_CREDENTIALS_ORIGIN": "http://localhost:1"}
        done = subprocess.run(
            [sys.executable, "-P", "-m", "modelyard_source", "credential", "get"],
            env={"PYTHONPATH": python_path("source-fetcher"), **environment},
            input="".join(asked),
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == ""


def test_ssh_gets_the_secrets_key_and_knows_its_servers(
    fetch: Fetch, origin: Origin, secret: Callable[..., Path], tmp_path: Path
) -> None:
    """A stand-in for ssh keeps what it was told and runs the command here, as a server would there."""
    folder = secret(**{"ssh-privatekey": "KEY\n", "known_hosts": "git.example.com ssh-ed25519 AAAA\n"})
    spy = tmp_path / "bin"
    spy.mkdir()
    script = f"""#!{sys.executable}
import subprocess, sys, pathlib, json
options = sys.argv[1:]
key = pathlib.Path(options[options.index("-i") + 1])
told = {{"argv": options, "key": key.read_text(), "mode": key.stat().st_mode & 0o777}}
pathlib.Path({str(tmp_path / "told")!r}).write_text(json.dumps(told))
command = options[-1].replace("'/team", "'{origin.root}/team")
sys.exit(subprocess.run(["sh", "-c", command]).returncode)
"""
    (spy / "ssh").write_text(script)
    (spy / "ssh").chmod(0o755)
    url = "ssh://git@git.example.com:2222/team/digits.git"
    outcome = fetch(url, f"--credentials={folder}", PATH=f"{spy}:{os.environ['PATH']}")
    assert outcome.code == 0, outcome.output
    told = json.loads((tmp_path / "told").read_text())
    assert (told["key"], told["mode"]) == ("KEY\n", 0o600)
    options = " ".join(told["argv"])
    for wanted in ("BatchMode=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={folder}/known_hosts", "-p 2222"):
        assert wanted in options
    assert "KEY" not in options


@pytest.mark.parametrize("missing", ["ssh-privatekey", "known_hosts"])
def test_a_secret_that_ssh_cannot_use_is_named(fetch: Fetch, secret: Callable[..., Path], missing: str) -> None:
    folder = secret(**{"ssh-privatekey": "KEY", "known_hosts": "x"})
    (folder / missing).unlink()
    message = fetch("ssh://git@git.example.com/a", f"--credentials={folder}").message
    assert message.startswith(f"spec.source.git.secretRef: the Secret has no key {missing}")
