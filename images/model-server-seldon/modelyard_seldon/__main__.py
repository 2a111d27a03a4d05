"""modelyard-serve: serves the model that lies in /mnt/models over Seldon's protocol."""
# ruff: noqa: E402 - the first statement has to run before the imports

import signal
import sys

# Before the imports, which take seconds: the first process of a container ignores signals that nobody handles.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

from modelyard_seldon.serving import main

if __name__ == "__main__":
    main()
