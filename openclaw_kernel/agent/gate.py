"""The gate in front of every tool call: policy decides, and where policy asks, a person does (SAF-10, SAF-23)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from openclaw_kernel.agent.batch import Ruling
from openclaw_kernel.safety import scripts
from openclaw_kernel.safety.api import Allow, Ask, Card, Deny, PolicyState, Sandbox, ToolFacts
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.safety.decide import decide
from openclaw_kernel.tools.api import Asking, Tool
from openclaw_kernel.tools.node_api import NodePlace, NodeServices
from openclaw_kernel.values.errors import OpenClawError, UserError
from openclaw_kernel.values.messages import ToolCall

_CHANGED = "the script changed between the question and the answer; ask again."


@dataclass(slots=True)
class Gate:
    """The gate of one run. `state` is asked anew for every call, so a tool's output may taint the calls after it.

    `places` keeps, by call id, the node each call was let through for: it runs there or not at all. `seen` keeps what a person
    was shown of a call beyond its arguments.
    """

    approvals: Approvals
    state: Callable[[], PolicyState]
    session_key: str
    agent_id: str
    run_id: str
    nodes: NodeServices | None = None
    places: dict[str, NodePlace] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)

    async def rule(self, call: ToolCall, tool: Tool) -> Ruling:
        """Waits for a person where the verdict is `Ask`; no answer in time is a denial."""
        effect, reads = tool.effect_for(call.arguments), tool.reads_only(call.arguments)
        facts = ToolFacts(tool.name, effect, reads, tool.untrusted_output, tool.grant)
        self._place(call, tool)
        digests = await self._digests(call, self.state().workspace)
        verdict = decide(call, facts, self.state(), digest=lambda path: digests.get(path, ""))
        match verdict:
            case Allow(rule=rule):
                return Ruling(True, rule)
            case Deny(rule=rule, sentence=sentence):
                return Ruling(False, rule, sentence)
            case Sandbox(rule=rule, profile=profile):
                return Ruling(False, rule, f"{tool.name} must run in sandbox {profile!r}, and this machine offers none.")
            case Ask():
                return await self._ask(call, tool, verdict)
            case _:
                assert_never(verdict)

    async def _digests(self, call: ToolCall, workspace: str) -> dict[str, str]:
        """The content of the scripts a command runs, read in a thread."""
        found = scripts.scripts_in(call.arguments.get("command"), workspace) if call.name == "exec" else ()
        return {path: await asyncio.to_thread(scripts.digest, path) for path in found}

    def _place(self, call: ToolCall, tool: Tool) -> None:
        """Fixes where the call will run before anybody is asked about it."""
        self.places.pop(call.id, None)
        self.seen.pop(call.id, None)
        if self.nodes is None or tool.node_command is None:
            return
        place = self.nodes.place(self.session_key, tool.node_command(call.arguments))
        if place is not None:
            self.places[call.id] = place

    async def _card(self, call: ToolCall, tool: Tool, card: Card) -> Card:
        """The card with the place in its title, and with what the arguments do not show. Raises what `Tool.preview` does."""
        place = self.places.get(call.id)
        if tool.preview is not None:
            asking = Asking(self.agent_id, self.nodes, place, self.session_key, card.cwd)
            seen = await tool.preview(call.arguments, asking)
            if seen is not None and seen.where:
                card = replace(card, facts={**card.facts, "where": seen.where})
            if seen is not None and seen.text:
                self.seen[call.id] = seen.text
                reason = "; ".join(filter(None, (card.reason, seen.note)))
                card = replace(card, title=seen.title or card.title, command=seen.text, reason=reason)
        if tool.node_command is None:
            return card
        if place is None or self.nodes is None:
            return replace(card, title=f"{card.title} on this machine", facts={**card.facts, "where": "this machine"})
        facts = {**card.facts, "where": place.label, "nodeId": place.node_id}
        return replace(card, title=f"{card.title} in {place.label}", cwd=place.label, facts=facts)

    async def _changed(self, card: Card) -> bool:
        """Whether the script a person said yes to is another one by now (SAF-11)."""
        script, seen = card.facts.get("script"), card.facts.get("sha256")
        return bool(script) and await asyncio.to_thread(scripts.digest, str(script)) != seen

    async def _ask(self, call: ToolCall, tool: Tool, ask: Ask) -> Ruling:
        try:
            card = await self._card(call, tool, ask.card)
        except (OpenClawError, UserError) as error:
            return Ruling(False, ask.rule, f"{call.name} was not run, because it cannot be shown for approval: {error}")
        approval = self.approvals.request(
            card, session_key=self.session_key, agent_id=self.agent_id, run_id=self.run_id, tool_call_id=call.id
        )
        decision = await self.approvals.decision(approval.id)
        match decision:
            case "allow-once" | "allow-always":
                if await self._changed(approval.card):
                    return Ruling(False, "script-changed", f"{call.name} was not run: {_CHANGED}")
                return Ruling(True, f"approved:{decision}")
            case "deny":
                return Ruling(False, ask.rule, f"Denied: the user does not allow this {call.name} call.")
            case None:
                return Ruling(False, ask.rule, f"Denied: nobody answered the question about this {call.name} call in time.")
            case _:
                assert_never(decision)
