"""What may take too long or too much is done by a program of its own, which can be killed."""

from __future__ import annotations

import asyncio
import os
import sys


async def work(program: str, request: bytes, seconds: float, *flags: str) -> tuple[int, bytes]:
    """Runs a Python file with `request` on its standard input; its exit code and what it printed.

    `flags` are the interpreter's, beside `-I`. Raises `TimeoutError` after `seconds`. However this ends, the process is gone.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", *flags, program),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.defpath},
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate(request)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said
