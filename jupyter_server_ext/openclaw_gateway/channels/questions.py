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
from openclaw_gateway.channels.forwarding import asks_in_session, targets_of
from openclaw_gateway.channels.outbox import Outbox
from openclaw_gateway.channels.running import Running
from openclaw_kernel.config.schema.approvals import ApprovalForwarding, ApprovalTarget
from openclaw_kernel.safety.api import Decision
from openclaw_kernel.safety.approvals import Approval, Approvals
from openclaw_kernel.tools.questions import Questions as Asked
from openclaw_kernel.values.envelope import DEFAULT_ACCOUNT, Inbound, Peer, Sender, Thread
from openclaw_kernel.values.errors import OpenClawError

LABELS: dict[Decision, str] = {"allow-once": "Allow once", "allow-always": "Always allow", "deny": "Deny"}
DONE: dict[Decision, str] = {"allow-once": "Allowed once.", "allow-always": "Allowed from now on.", "deny": "Denied."}
NOTHING = "There is nothing to answer any more."
NOT_YOURS = "Only the owner can answer this."
_BUTTON = re.compile(r"approve:([\w.-]{1,128}):(allow-once|allow-always|deny)")
_TEXT = re.compile(r"/approve:?\s+(\S{1,128})\s+(allow-once|allow-always|deny)\s*")
_TICKS = re.compile("`+")

_HOUSE = Sender("gateway")

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
        forwarding: Callable[[], ApprovalForwarding] = ApprovalForwarding,
    ) -> None:
        self._forwarding = forwarding
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
        if approval.state != "pending":
            return
        origin, settings = self._origins.get(approval.run_id), self._forwarding()
        if origin is not None and origin.owner and asks_in_session(settings, approval):
            self._show(approval, origin.inbound, f"approval:{approval.id}")
        for number, target in enumerate(targets_of(settings, approval)):
            self._forward(approval, target, f"approval:{approval.id}:to:{number}")

    def _forward(self, approval: Approval, target: ApprovalTarget, name: str) -> None:
        """Shows it in a chat the owner named. Only an owner can answer it there."""
        account = target.account_id or DEFAULT_ACCOUNT
        running = self._running(target.channel, account)
        if running is None:
            log.warning("approval %s is not forwarded: %s account %s does not run", approval.id, target.channel, account)
            return
        messaging = running.plugin.messaging
        peer, thread = messaging.target(target.to) if messaging is not None else (Peer("direct", target.to), None)
        if target.thread_id is not None:
            thread = Thread(str(target.thread_id))
        self._show(approval, Inbound(target.channel, peer, _HOUSE, "", 0, account=account, thread=thread), name)

    def _show(self, approval: Approval, where: Inbound, name: str) -> None:
        running = self._running(where.channel, where.account)
        if running is None:
            return
        card = approval.card
        scopes = [scope for scope in LABELS if scope in card.scopes]
        what = f"\n\n{_fenced(card.command)}" if card.command else ""
        text = f"**May I?** {card.title}{what}\n\n{card.reason}"
        if not running.plugin.capabilities.buttons:
            text += "\n\nAnswer with one of:\n" + "\n".join(f"- `/approve {approval.id} {scope}`" for scope in scopes)
        buttons = [[{"label": LABELS[scope], "data": f"approve:{approval.id}:{scope}"} for scope in scopes]]
        post_answer(self._outbox, running, where, name, text, buttons=buttons)

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
