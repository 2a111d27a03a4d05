"""`python3 -m tools.images`."""

import sys

from tools.images.cli import main

sys.exit(main(sys.argv[1:]))
