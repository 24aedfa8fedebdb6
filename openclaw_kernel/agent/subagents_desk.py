"""What a session's tools may see of other sessions and do to them (TOL-12, AGT-34): the `SessionDesk` of the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.agent.measure import context_tokens
from openclaw_kernel.agent.sessions_view import Seen, history_text, name_of, search_files, session_line
from openclaw_kernel.agent.subagents import Parts, Subagents
from openclaw_kernel.agent.subagents_rows import SubagentRow
from openclaw_kernel.agent.subagents_rules import Spawn, allowed_agents
from openclaw_kernel.agent.waiting import HOUSE, mark_tainted
from openclaw_kernel.config.schema.subagents import AgentToAgent
from openclaw_kernel.memory.audience import is_shared
from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.tools.sessions_api import Caller, Row, Task
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.messages import Text, UserMessage

MAX_HOPS = 5
"""How often sessions may write to one another without a person in between."""
SEARCHED_SESSIONS = 200
"""The newest sessions a search looks into."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Stands between the tools of a turn and the sessions of the house. A guest's turn sees its own session and what that has
    started, whatever the config says."""

    parts: Parts
    subagents: Subagents

    # --- subagents

    async def spawn(self, caller: Caller, task: Task) -> Row:
        row = await self.subagents.spawn(
            Spawn(
                caller.session_key,
                caller.agent_id,
                caller.run_id,
                task.text,
                task.label,
                task.agent_id,
                task.model,
                task.thinking,
                task.run_timeout_s,
                task.cleanup,
                tainted=self._tainted(caller.session_key),
                guest=caller.guest,
            )
        )
        return {"status": "accepted", "childSessionKey": row.child_key, "runId": row.id, "label": row.label}

    def children(self, caller: Caller) -> Sequence[Row]:
        return [self._child_line(row) for row in self.subagents.children(caller.session_key)]

    def kill(self, caller: Caller, name: str) -> Sequence[str]:
        rows = self.subagents.children(caller.session_key) if name == "all" else [self._child(caller, name)]
        return [row.id for row in rows if self.subagents.kill(row)]

    async def steer(self, caller: Caller, name: str, text: str) -> Row:
        row = self._child(caller, name)
        said = Spawn(
            caller.session_key, caller.agent_id, caller.run_id, text,
            tainted=self._tainted(caller.session_key), guest=caller.guest,
        )  # fmt: skip
        done = await self.subagents.steer(row, said)
        return {"status": "steered" if done.id == row.id else "accepted", "childSessionKey": done.child_key, "runId": done.id}

    def log(self, caller: Caller, name: str) -> str:
        return self.history(caller, self._child(caller, name).child_key, 50, True)

    async def next_result(self, caller: Caller, timeout_s: float) -> bool:
        return await self.subagents.next_result(caller.session_key, timeout_s)

    # --- other sessions

    def sessions(self, caller: Caller, search: str = "", active_minutes: int = 0, limit: int = 20) -> Sequence[Row]:
        since = self.parts.clock() - active_minutes * 60_000 if active_minutes else 0
        found = []
        for entry in self.parts.sessions.list():
            mine = caller.session_key in (entry.key, entry.parent_session_key)
            named = search.lower() in f"{entry.key} {name_of(entry, mine)}".lower()
            if entry.archived or entry.updated_at < since or not named or not self._sees(caller, entry):
                continue
            found.append(session_line(entry, bool(self.parts.runtime.active(entry.key)), mine))
        return found[:limit]

    def history(self, caller: Caller, key: str, limit: int, tools: bool) -> str:
        entry = self._visible(caller, key)
        stored = self.parts.sessions.transcript(entry.agent_id, entry.session_id).messages()
        text = history_text(stored[-limit:], tools, caller.chars)
        if entry.key == caller.session_key or not self._tainted(entry.key):
            return text
        self._taint(caller, "sessions_history")
        return fence("session", text)

    async def search(self, caller: Caller, query: str, limit: int) -> Sequence[Row]:
        seen = [entry for entry in self.parts.sessions.list() if self._sees(caller, entry)][:SEARCHED_SESSIONS]
        files = [Seen(entry.key, self.parts.sessions.path(entry.agent_id, entry.session_id)) for entry in seen]
        hits = await asyncio.to_thread(search_files, files, query, limit)
        found = []
        for hit in hits:
            if hit.key != caller.session_key and self._tainted(hit.key):
                self._taint(caller, "sessions_search")
                hit = replace(hit, text=fence("session", hit.text))
            found.append({"sessionKey": hit.key, "role": hit.role, "at": hit.at, "text": hit.text})
        return found

    async def send(self, caller: Caller, key: str, text: str, timeout_s: float) -> Row:
        """The answer counts as untrusted: another session has its own sources."""
        entry = self._visible(caller, key)
        if entry.key == caller.session_key:
            raise invalid("this is your own session; just say it")
        hops = self._hops(caller.session_key) + 1
        if hops > MAX_HOPS:
            raise invalid(f"sessions have written to one another {MAX_HOPS} times without a person; answer instead")
        run_id = self.parts.new_id()
        meta: dict[str, Any] = {
            "senderIsOwner": not caller.guest,
            "idempotencyKey": f"{run_id}:user",
            "hops": hops,
            "provenance": {"kind": "inter_session", "sourceSessionKey": caller.session_key, "sourceTool": "sessions_send"},
        }
        words = f"[Message from session {caller.session_key}]\n{text}"
        if self._tainted(caller.session_key):
            meta["untrusted"] = True
            words = f"[Message from session {caller.session_key}]\n{fence('message', text)}"
        message = UserMessage((Text(words),), self.parts.clock(), f"{run_id}:user", meta)
        tools = self.parts.runtime.tools_of(caller.run_id)
        await self.parts.runtime.submit(RunRequest(run_id, entry.key, message, client_id=HOUSE, tools=tools))
        sent = {"status": "accepted", "runId": run_id, "sessionKey": entry.key}
        if not timeout_s:
            return sent
        outcome = await self.parts.runtime.wait(run_id, timeout_s)
        if outcome is None:
            return sent | {"status": "timeout", "note": "it is still at work; read its answer later with sessions_history"}
        self._taint(caller, "sessions_send")
        answer = outcome.message.text if outcome.message is not None else ""
        error = {"error": outcome.error.message} if outcome.error is not None else {}
        return sent | {"status": outcome.status, "reply": fence("answer", answer[: caller.chars])} | error

    # --- who is who

    def agents(self, caller: Caller) -> Sequence[Row]:
        config = self.parts.config()
        names = {agent.id: agent.identity.name or agent.name for agent in config.agents.list}
        allowed = allowed_agents(config, caller.agent_id)
        return [
            {
                "id": agent,
                "name": names.get(agent) or agent,
                "self": agent == caller.agent_id,
                "spawn": agent == caller.agent_id or "*" in allowed or agent in allowed,
                "send": _may_talk(config.tools.agent_to_agent, caller.agent_id, agent),
            }
            for agent in self.parts.agents()
        ]

    def status(self, caller: Caller) -> Row:
        sessions = self.parts.sessions
        entry = sessions.get(caller.session_key)
        if entry is None:
            return {}
        model = self.parts.resolve(entry.model_override, caller.agent_id)
        used = context_tokens(sessions.transcript(entry.agent_id, entry.session_id))
        return {
            "model": model.ref,
            "contextTokens": used,
            "contextWindow": model.context_window,
            "contextPercent": round(100 * used / model.context_window) if model.context_window else 0,
            "inputTokens": entry.input_tokens,
            "outputTokens": entry.output_tokens,
            "costUsd": round(entry.estimated_cost_usd, 6),
            "subagents": sum(row.running for row in self.subagents.children(entry.key)),
        }

    # --- rules

    def _visible(self, caller: Caller, name: str) -> SessionEntry:
        """The same words for a session that is not there and one that may not be seen."""
        sessions = self.parts.sessions
        rows = sessions.list()
        entry = sessions.get(name) or next((row for row in rows if name in (row.session_id, row.label)), None)
        if entry is None or not self._sees(caller, entry):
            raise invalid(f"there is no session {name!r} that this session may see; sessions_list shows those there are")
        return entry

    def _sees(self, caller: Caller, entry: SessionEntry) -> bool:
        tools = self.parts.config().tools
        scope = tools.sessions.visibility
        if entry.key == caller.session_key:
            return True
        if scope == "self":
            return False
        if self._descends(entry, caller.session_key):
            return True
        if caller.guest or scope == "tree" or is_shared(self.parts.sessions.root_key(caller.session_key)):
            return False
        if entry.agent_id == caller.agent_id:
            return True
        return scope == "all" and _may_talk(tools.agent_to_agent, caller.agent_id, entry.agent_id)

    def _descends(self, entry: SessionEntry, ancestor: str) -> bool:
        """Whether a session was started by another one, or by one that it started."""
        return any(above.key == ancestor for above in self.parts.sessions.above(entry.key))

    def _child(self, caller: Caller, name: str) -> SubagentRow:
        rows = self.subagents.children(caller.session_key)
        for row in reversed(rows):
            if name in (row.id, row.child_key, row.label) or (len(name) >= 8 and row.id.startswith(name)):
                return row
        raise invalid(f"this session has no subagent {name!r}; action list shows them")

    def _child_line(self, row: SubagentRow) -> Row:
        line = {"id": row.id, "label": row.label, "state": row.state, "sessionKey": row.child_key}
        if not row.running:
            line["result"] = {"open": "on its way", "late": "could not be delivered"}.get(row.delivery, row.delivery)
        return line | ({"reason": row.reason} if row.reason else {})

    def _tainted(self, key: str) -> bool:
        entry = self.parts.sessions.get(key)
        return (
            entry is not None and self.parts.sessions.transcript(entry.agent_id, entry.session_id).latest("taint") is not None
        )

    def _taint(self, caller: Caller, tool: str) -> None:
        mark_tainted(self.parts.sessions.open(caller.session_key), tool)

    def _hops(self, key: str) -> int:
        """How many sessions have passed the word on since a person spoke here."""
        for stored in reversed(self.parts.sessions.open(key).transcript.messages()):
            if isinstance(stored.message, UserMessage):
                return int(stored.message.meta.get("hops") or 0)
        return 0


def _may_talk(rules: AgentToAgent, one: str, other: str) -> bool:
    if one == other:
        return True
    allowed = rules.allow
    return rules.enabled and (allowed is None or "*" in allowed or (one in allowed and other in allowed))
