"""Runs pytest: the tests that need the node beside all others, as these mostly wait and need other servers.

`python3 -m tools.run_tests PYTEST [ARGUMENT …]`. What the node's tests say is printed when the rest is through, whole:
the closing line of each part stands below its failures. With options (`-k`) everything is one part.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO

NODE = "tests/e2e"


def parts(arguments: Sequence[str]) -> list[list[str]]:
    """What each pytest is told; the last one needs the node, if there are two."""
    others = [argument for argument in arguments if argument != NODE]
    is_mixed = NODE in arguments and others and not any(argument.startswith("-") for argument in arguments)
    return [others, [NODE]] if is_mixed else [list(arguments)]


def main(arguments: Sequence[str]) -> int:
    """The exit code of the first part that failed, else 0."""
    pytest, *chosen = arguments
    first, *beside = parts(chosen)
    running = [_start(pytest, part) for part in beside]
    try:
        codes = [subprocess.run([pytest, *first], check=False).returncode]
        for process, output in running:
            codes.append(process.wait())
            output.seek(0)
            sys.stdout.write(output.read())
            sys.stdout.flush()
    finally:
        for process, _ in running:
            process.terminate()
    return next((code for code in codes if code), 0)


def _start(pytest: str, arguments: Sequence[str]) -> tuple[subprocess.Popen[str], IO[str]]:
    """A pytest whose output is kept for later."""
    output = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - it lives as long as the process
    process = subprocess.Popen([pytest, *arguments], stdout=output, stderr=subprocess.STDOUT, text=True)
    return process, output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
