"""`python -E -P -m gitmem`: how hooks start gitmem, so that nothing at hand can take its place."""

from __future__ import annotations

import sys

from gitmem.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
