"""Approvals in a chat: a question of a run that came from a channel is shown to its sender when he is the owner (SAF-10).

Nobody else sees it there or can answer it; operators see every question where they always do.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from openclaw_gateway.channels.asks import Asks
from openclaw_gateway.channels.contract import Callback
from openclaw_gateway.channels.delivery import post_answer
from openclaw_gateway.channels.door import Door
from openclaw_gateway.channels.outbox import Outbox
from openclaw_gateway.channels.running import Running
from openclaw_kernel.safety.api import Decision
from openclaw_kernel.safety.approvals import Approval, Approvals
from openclaw_kernel.tools.questions import Questions as Asked
from openclaw_kernel.values.envelope import Inbound
from openclaw_kernel.values.errors import OpenClawError

LABELS: dict[Decision, str] = {"allow-once": "Allow once", "allow-always": "Always allow", "deny": "Deny"}
DONE: dict[Decision, str] = {"allow-once": "Allowed once.", "allow-always": "Allowed from now on.", "deny": "Denied."}
NOTHING = "There is nothing to answer any more."
NOT_YOURS = "Only the owner can answer this."
_BUTTON = re.compile(r"approve:([\w.-]{1,128}):(allow-once|allow-always|deny)")
_TEXT = re.compile(r"/approve:?\s+(\S{1,128})\s+(allow-once|allow-always|deny)\s*")
_TICKS = re.compile("`+")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Origin:
    inbound: Inbound
    owner: bool


class Questions:
    """Knows which runs came from which chat. Used from the event loop only."""

    def __init__(
        self,
        approvals: Approvals,
        door: Door,
        outbox: Outbox,
        running: Callable[[str, str], Running | None],
        asked: Asked | None = None,
    ) -> None:
        self.asks = Asks(asked, outbox, running) if asked is not None else None
        self._approvals = approvals
        self._door = door
        self._outbox = outbox
        self._running = running
        self._origins: dict[str, _Origin] = {}

    def asked_by(self, run_id: str, inbound: Inbound, *, owner: bool) -> None:
        """A run begins that this message asked for."""
        self._origins[run_id] = _Origin(inbound, owner)
        if self.asks is not None:
            self.asks.asked_by(run_id, inbound)

    def over(self, run_id: str) -> None:
        self._origins.pop(run_id, None)
        if self.asks is not None:
            self.asks.over(run_id)

    def changed(self, approval: Approval) -> None:
        """A question stands or was answered."""
        origin = self._origins.get(approval.run_id)
        if origin is None or not origin.owner or approval.state != "pending":
            return
        running = self._running(origin.inbound.channel, origin.inbound.account)
        if running is None:
            return
        card = approval.card
        scopes = [scope for scope in LABELS if scope in card.scopes]
        what = f"\n\n{_fenced(card.command)}" if card.command else ""
        text = f"**May I?** {card.title}{what}\n\n{card.reason}"
        if not running.plugin.capabilities.buttons:
            text += "\n\nAnswer with one of:\n" + "\n".join(f"- `/approve {approval.id} {scope}`" for scope in scopes)
        buttons = [[{"label": LABELS[scope], "data": f"approve:{approval.id}:{scope}"} for scope in scopes]]
        post_answer(self._outbox, running, origin.inbound, f"approval:{approval.id}", text, buttons=buttons)

    async def pressed(self, callback: Callback) -> str:
        """A button was pressed; what to show the person. Never raises."""
        if self.asks is not None and (said := self.asks.pressed(callback)) is not None:
            return said
        found = _BUTTON.fullmatch(callback.data)
        if found is None:
            return NOTHING
        if not self._door.is_owner(callback.channel, callback.account, callback.sender):
            return NOT_YOURS
        return await self._resolve(found[1], found[2], f"{callback.channel}:{callback.sender.id}")

    @staticmethod
    def is_answer(text: str) -> bool:
        """Whether a text is an answer to a question: `/approve ID allow-once`."""
        return _TEXT.fullmatch(text.strip()) is not None

    def by_text(self, text: str, *, owner: bool, by: str) -> str | None:
        """The answer to `/approve ID DECISION`; `None` when the text is something else."""
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            return None
        return self._settle(found[1], found[2], by) if owner else NOT_YOURS

    async def _resolve(self, approval_id: str, decision: str, by: str) -> str:
        said = self._settle(approval_id, decision, by)
        await self._approvals.flush()
        return said

    def _settle(self, approval_id: str, decision: str, by: str) -> str:
        scope = next(name for name in LABELS if name == decision)
        try:
            self._approvals.resolve(approval_id, scope, by)
        except OpenClawError as error:
            log.info("an approval was not answered by %s: %s", by, error)
            return NOTHING if error.code == "APPROVAL_NOT_FOUND" else str(error)
        return DONE[scope]


def _fenced(code: str) -> str:
    """`code` in a fence that nothing in it can close: what follows must not be able to pass for ours."""
    longest = max(map(len, _TICKS.findall(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{code}\n{fence}"
