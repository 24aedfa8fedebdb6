"""A process that forgets a conversation and is killed by itself at the N-th file that it replaces or takes away.

python -m tests.flow.forgetting_killed STATE_DIR N PARAMS        prints how many there were when it was not killed
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from openclaw_gateway.methods.memory import answer
from openclaw_gateway.parts.memory_alone import open_desks

seen = 0


def deadly(name: str, limit: int) -> None:
    real = getattr(os, name)

    def counted(*arguments: Any, **more: Any) -> Any:
        global seen
        if seen == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1
        return real(*arguments, **more)

    setattr(os, name, counted)


async def main(state: Path, params: dict[str, Any], limit: int) -> None:
    async with open_desks(state, {**os.environ, "OPENCLAW_STATE_DIR": str(state)}) as desks:
        for name in ("replace", "unlink"):
            deadly(name, limit)
        await answer("memory.forget", params, desks)
        done = seen
    print(done)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[3]), int(sys.argv[2])))
