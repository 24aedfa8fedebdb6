"""`python -m openclaw_gateway …` is `jupyter openclaw …`."""

import sys

from openclaw_gateway.cli import main

if __name__ == "__main__":
    sys.exit(main())
