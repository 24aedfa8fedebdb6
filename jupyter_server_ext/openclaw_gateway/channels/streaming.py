"""Block streaming: a long answer goes out in messages of its own while it is being made (AGT-14, AGT-15). Off by default.

What is out is in the inbox row of the message before it is in the outbox, so that the end of the answer, also after a restart,
says what is left and nothing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from openclaw_gateway.channels.blocks import MIN_JOINED, BlockRules, Blocks, framed
from openclaw_gateway.channels.running import Running
from openclaw_gateway.channels.timing import Timing
from openclaw_kernel.config.schema.agents import AgentDefaults
from openclaw_kernel.values.envelope import delivery_id
from openclaw_kernel.values.errors import OpenClawError, UserError
from openclaw_kernel.values.events import MessageDelta, MessageEnded, MessageStarted, RunEvent, ToolStarted

log = logging.getLogger(__name__)

Streamed = Mapping[str, Any]
"""The last block: `{number, start, end, head}`, offsets in its message and the digest of the message up to `end`."""


def rules_for(running: Running, defaults: AgentDefaults) -> BlockRules | None:
    """How this account streams blocks; `None` when it does not."""
    caps, own = running.plugin.capabilities, getattr(running.account.settings, "block_streaming", None)
    if not caps.block_streaming or not (defaults.block_streaming_default == "on" if own is None else own):
        return None
    chunk, joined = defaults.block_streaming_chunk, defaults.block_streaming_coalesce
    longest = min(chunk.max_chars, caps.text_limit)
    shortest = min(chunk.min_chars, longest)
    join_min = joined.min_chars or MIN_JOINED.get(running.plugin.id, shortest)
    return BlockRules(
        shortest,
        longest,
        chunk.break_preference,
        defaults.block_streaming_break == "message_end",
        min(join_min, caps.text_limit),
        min(max(joined.max_chars or longest, join_min), caps.text_limit),
        joined.idle_ms,
    )


def block_name(run_id: str, number: int) -> str:
    """What the delivery of a block is called."""
    return f"{run_id}:block:{number}"


def rest_of(text: str, run_id: str, streamed: Streamed | None, known: Callable[[str], object]) -> str:
    """What of the last message's text is not out yet. `known` finds a delivery by its id."""
    if streamed is None:
        return text
    posted = known(delivery_id(block_name(run_id, streamed["number"]), 0)) is not None
    if _head(text[: streamed["end"]]) != streamed["head"]:
        return text
    return framed(text, streamed["end"] if posted else streamed["start"], len(text))


class BlockStream:
    """Follows one run. `post` is given the number, the text and where it stands (`Streamed`) of every block."""

    def __init__(self, rules: BlockRules, post: Callable[[str, Streamed], None], timing: Timing) -> None:
        self._rules = rules
        self._post = post
        self._time = timing
        self._blocks = Blocks(rules)
        self._number = 0
        self._idle: asyncio.Task[None] | None = None
        self._broken = False

    def hear(self, event: RunEvent) -> None:
        """An event of the run."""
        match event.event:
            case MessageStarted():
                self._blocks = Blocks(self._rules)
            case MessageDelta(_, delta, "text"):
                pieces = self._blocks.feed(delta)
                if not self._rules.at_message_end:
                    self._send(pieces)
                    self._pause_later()
            case MessageEnded(_, message):
                self._rest_later()
                if message.stop_reason not in ("error", "aborted"):
                    self._send(self._blocks.end())
            case ToolStarted():
                self._rest_later()
            case _:
                pass

    async def close(self) -> None:
        """Nothing more is sent; what is left is for the end of the answer."""
        if self._idle is not None:
            self._idle.cancel()
            await asyncio.gather(self._idle, return_exceptions=True)

    def _rest_later(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _pause_later(self) -> None:
        """Sends what is held once nothing has come for the idle time."""
        self._rest_later()
        if self._blocks.waits:
            self._idle = asyncio.ensure_future(self._pause(self._blocks))

    async def _pause(self, blocks: Blocks) -> None:
        await self._time.sleep(self._rules.idle_ms / 1000)
        self._send(blocks.pause())

    def _send(self, pieces: list[tuple[int, int]]) -> None:
        text = self._blocks.text
        for start, end in pieces:
            block = framed(text, start, end)
            if self._broken or not block.strip():
                continue
            at = {"number": self._number, "start": start, "end": end, "head": _head(text[:end])}
            self._number += 1
            try:
                self._post(block, at)
            except (UserError, OpenClawError) as error:
                self._broken = True
                log.error("a part of an answer could not be written down; what is left comes at its end: %s", error)


def _head(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
