"""The first steps of a message: known already? may it be heard? to the ledger (CHN-09, ROU-04).

A sender who is not heard leaves nothing behind: no row with his words, no download, no model call, no word in a log. Who may
ask for entry gets a code through the outbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import assert_never

from openclaw_gateway.channels.contract import Receipt
from openclaw_gateway.channels.door import Door, Histories, LoopGuard
from openclaw_gateway.channels.formats import parts
from openclaw_gateway.channels.inbox import Inbox
from openclaw_gateway.channels.outbox import Outbox
from openclaw_gateway.channels.running import Running
from openclaw_gateway.routing.pairing import Pairings
from openclaw_kernel.values.envelope import Inbound, answer
from openclaw_kernel.values.errors import unavailable

log = logging.getLogger(__name__)

CHALLENGE = (
    "Hello. This assistant answers only people its owner knows.\n\n"
    "Your pairing code is **{code}**. Ask the owner to approve it:\n\n"
    "`jupyter openclaw pairing approve {channel} {code}`\n\n"
    "The code ends in an hour."
)

CHALLENGE_NAME = "pairing:{channel}:{account}:{sender}:{expires}"
"""What the delivery of a code is called."""


class Intake:
    """The one entrance for messages of every channel."""

    def __init__(
        self,
        door: Door,
        pairings: Callable[[], Pairings],
        inbox: Inbox,
        outbox: Outbox,
        histories: Histories,
        guard: LoopGuard,
        running: Callable[[str, str], Running | None],
        is_command: Callable[[str], bool],
    ) -> None:
        self._door = door
        self._pairings = pairings
        self._inbox = inbox
        self._outbox = outbox
        self._histories = histories
        self._guard = guard
        self._running = running
        self._is_command = is_command

    async def take(self, inbound: Inbound) -> Receipt:
        """Returns once the message is safe or refused. Raises `StoreError` when the disk refuses: do not acknowledge then."""
        running = self._running(inbound.channel, inbound.account)
        if running is None:
            raise unavailable(f"{inbound.channel} account {inbound.account} does not run")
        if self._inbox.knows(inbound):
            return "duplicate"
        verdict = self._door.verdict(inbound, running.plugin, running.account)
        match verdict.action:
            case "drop":
                log.info("a message on %s was not heard: %s", inbound.channel, verdict.reason)
                return "refused"
            case "pair":
                self._challenge(inbound, running)
                return "refused"
            case "observe":
                self._histories.add(inbound)
                return "accepted"
            case "hear":
                return self._hear(inbound)
            case _:
                assert_never(verdict.action)

    def _hear(self, inbound: Inbound) -> Receipt:
        if not self._guard.lets(inbound):
            log.warning("a bot on %s writes too fast and is not heard for a minute", inbound.channel)
            return "refused"
        command = self._is_command(inbound.command_text) and not inbound.attachments
        return self._inbox.accept(inbound if command else self._histories.take(inbound), command=command)

    def _challenge(self, inbound: Inbound, running: Running) -> None:
        sender = inbound.sender
        challenge = self._pairings().challenge(inbound.channel, inbound.account, sender.id, sender.name or sender.username)
        if challenge is None:
            return
        caps, adapter = running.plugin.capabilities, running.plugin.pairing
        if adapter is not None:
            markdown = adapter.challenge(challenge.code, inbound.sender)
        else:
            markdown = CHALLENGE.format(code=challenge.code, channel=inbound.channel)
        # The id is made of the request, so that a code is told once even when the gateway stopped between the two ledgers.
        name = CHALLENGE_NAME.format(
            channel=inbound.channel, account=inbound.account, sender=inbound.sender.id, expires=challenge.expires_at
        )
        for number, (source, text) in enumerate(parts(markdown, caps.format, caps.text_limit, count=caps.count)):
            self._outbox.post(answer(inbound, name, number, text=text), plain=source)
        if challenge.fresh:
            log.info("an unknown sender on %s asks to be paired", inbound.channel)
