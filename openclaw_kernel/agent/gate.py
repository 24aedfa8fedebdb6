"""The gate in front of every tool call: policy decides, and where policy asks, a person does (SAF-10, SAF-23)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from openclaw_kernel.agent.batch import Ruling
from openclaw_kernel.safety.api import Allow, Ask, Deny, PolicyState, Sandbox, ToolFacts
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.safety.decide import decide
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.values.messages import ToolCall


@dataclass(slots=True)
class Gate:
    """The gate of one run. `state` is asked anew for every call, so a tool's output may taint the calls after it."""

    approvals: Approvals
    state: Callable[[], PolicyState]
    session_key: str
    agent_id: str
    run_id: str

    async def rule(self, call: ToolCall, tool: Tool) -> Ruling:
        """Waits for a person where the verdict is `Ask`; no answer in time is a denial."""
        facts = ToolFacts(tool.name, tool.effect, tool.read_only, tool.untrusted_output)
        verdict = decide(call, facts, self.state())
        match verdict:
            case Allow(rule=rule):
                return Ruling(True, rule)
            case Deny(rule=rule, sentence=sentence):
                return Ruling(False, rule, sentence)
            case Sandbox(rule=rule, profile=profile):
                return Ruling(False, rule, f"{tool.name} must run in sandbox {profile!r}, and this machine offers none.")
            case Ask():
                return await self._ask(call, verdict)
            case _:
                assert_never(verdict)

    async def _ask(self, call: ToolCall, ask: Ask) -> Ruling:
        approval = self.approvals.request(
            ask.card, session_key=self.session_key, agent_id=self.agent_id, run_id=self.run_id, tool_call_id=call.id
        )
        decision = await self.approvals.decision(approval.id)
        match decision:
            case "allow-once" | "allow-always":
                return Ruling(True, f"approved:{decision}")
            case "deny":
                return Ruling(False, ask.rule, f"Denied: the user does not allow this {call.name} call.")
            case None:
                return Ruling(False, ask.rule, f"Denied: nobody answered the question about this {call.name} call in time.")
            case _:
                assert_never(decision)
