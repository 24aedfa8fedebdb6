"""Subagents run in a lane of their own, so that parents that wait for them never keep them out (AGT-07)."""

from __future__ import annotations

from collections.abc import Callable

from openclaw_kernel.agent.lanes import Lanes, Work
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.session_key import parse


def subagent_limit(config: OpenClawConfig) -> int:
    """How many subagents work at a time, over all agents (AGT-33)."""
    return config.agents.defaults.subagents.max_concurrent


class SplitLanes(Lanes):
    """Lanes under two limits: one for conversations, one for those of subagents."""

    def __init__(self, limit: Callable[[], int], subagents: Callable[[], int]) -> None:
        super().__init__(limit)
        self._subagents = Lanes(subagents)

    def submit(self, lane: str, job_id: str, work: Work) -> None:
        if _is_subagent(lane):
            self._subagents.submit(lane, job_id, work)
        else:
            super().submit(lane, job_id, work)

    def busy(self, lane: str) -> bool:
        return self._subagents.busy(lane) if _is_subagent(lane) else super().busy(lane)

    def waiting(self, lane: str) -> list[str]:
        return self._subagents.waiting(lane) if _is_subagent(lane) else super().waiting(lane)

    def cancel(self, lane: str, job_id: str) -> bool:
        return self._subagents.cancel(lane, job_id) if _is_subagent(lane) else super().cancel(lane, job_id)

    def free(self, lane: str, job_id: str) -> bool:
        return self._subagents.free(lane, job_id) if _is_subagent(lane) else super().free(lane, job_id)

    async def drain(self) -> None:
        await super().drain()
        await self._subagents.drain()


def _is_subagent(lane: str) -> bool:
    return parse(lane).kind == "subagent"
