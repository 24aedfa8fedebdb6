"""The channels as one thing: opened when the first is configured, reloaded with the config, closed before runs are.

With no channel configured nothing is opened, and what runs channels (`opened.py`) is not even imported.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_gateway.channels.house import House
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.approvals import Approval, Approvals
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.tools.questions import Asked, Questions
from openclaw_kernel.values.envelope import Attachment, Inbound, Outbound, Peer, Thread
from openclaw_kernel.values.errors import UserError, unavailable

if TYPE_CHECKING:
    from openclaw_gateway.channels.contract import Callback, Receipt, Resolve, WebhookRequest, WebhookResponse
    from openclaw_gateway.channels.inbox import Inbox
    from openclaw_gateway.channels.ledger_rows import Delivery
    from openclaw_gateway.channels.manager import Manager
    from openclaw_gateway.channels.opened import Opened
    from openclaw_gateway.channels.outbox import Outbox
    from openclaw_gateway.channels.registry import Channels
    from openclaw_gateway.channels.running import Running
    from openclaw_gateway.channels.timing import Timing
    from openclaw_gateway.routing.pairing import Pairing, Pairings, Via

log = logging.getLogger(__name__)


class ChannelRoom:
    """What the gateway holds. Used from the event loop only."""

    def __init__(
        self,
        config: OpenClawConfig,
        state_dir: Path,
        house: House,
        approvals: Approvals,
        *,
        resolve: Callable[[], Resolve],
        env: Mapping[str, str],
        is_command: Callable[[str], bool],
        menu: Callable[[], Sequence[tuple[str, str]]],
        on_pairing: Callable[[Pairing], None],
        channels: Channels | None = None,
        public_url: Callable[[], str] = lambda: "",
        timing: Timing | None = None,
        asked: Questions | None = None,
    ) -> None:
        self._asked = asked
        self.problem = ""
        """Why no channel runs at all: a wrong binding or access list. One sentence."""
        self._channels = channels
        self.built_in: Sequence[str] | None = None
        """Import strings of the manifests that the product brings; all of them when nobody says otherwise."""
        self._config = config
        self._dir = state_dir / "channels"
        self._house = house
        self._approvals = approvals
        self._resolve, self._env = resolve, env
        self._is_command = is_command
        self._menu = menu
        self._on_pairing = on_pairing
        self._public_url = public_url
        self._time = timing
        self._pairings: Pairings | None = None
        self._opened: Opened | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()

    # --- life

    async def start(self) -> None:
        """Opens and starts what the config names. A channel that cannot run is a line in the log, never a stop."""
        if _configured(self._config):
            await self._apply()

    def reconfigure(self, config: OpenClawConfig) -> None:
        """A new config is in force; accounts that changed are restarted behind the scenes."""
        self._config = config
        if self._opened is not None or _configured(config):
            task = asyncio.ensure_future(self._apply())
            self._tasks.add(task)
            task.add_done_callback(self._applied)

    async def close(self) -> None:
        """Stops intake, answering and sending; what is open goes on at the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._opened is not None:
            await self._opened.close()
            self._opened = None
        if self._pairings is not None:
            await self._pairings.flush()
            self._pairings.close()
            self._pairings = None

    async def _apply(self) -> None:
        async with self._lock:
            try:
                if self._opened is None:
                    await asyncio.to_thread(ensure_private_dir, self._dir)
                    self._opened = self._open()
                    await self._opened.start()
                else:
                    await self._opened.reconfigure(self._config)
                self.problem = ""
            except UserError as error:
                self.problem = str(error)
                log.error("channels: %s", error)

    def _applied(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the channels could not take the new configuration: %s", error, exc_info=error)

    def _open(self) -> Opened:
        from openclaw_gateway.channels.opened import Opened
        from openclaw_gateway.channels.timing import Timing

        return Opened(
            self._config,
            self._dir,
            self._house,
            self._approvals,
            self.channels,
            pairings=lambda: self.pairings,
            resolve=self._resolve,
            env=self._env,
            is_command=self._is_command,
            menu=self._menu,
            public_url=self._public_url,
            timing=self._time or Timing(),
            asked=self._asked,
        )

    # --- what others ask

    @property
    def channels(self) -> Channels:
        """Every channel there is."""
        if self._channels is None:
            from openclaw_gateway.channels.registry import Channels

            self._channels = Channels() if self.built_in is None else Channels(self.built_in)
        return self._channels

    @property
    def pairings(self) -> Pairings:
        """The senders who asked for entry and those who have it. Raises `StoreError`."""
        if self._pairings is None:
            from openclaw_gateway.routing.pairing import Pairings
            from openclaw_kernel.values.clock import system_clock

            ensure_private_dir(self._dir)
            self._pairings = Pairings(self._dir / "pairings.jsonl", self._time.now if self._time else system_clock)
            self._pairings.on_change.append(self._on_pairing)
        return self._pairings

    @property
    def has_pairings(self) -> bool:
        """Whether anybody ever asked: then the ledger is worth opening."""
        return self._pairings is not None or (self._dir / "pairings.jsonl").exists()

    @property
    def manager(self) -> Manager | None:
        return self._opened.manager if self._opened is not None else None

    @property
    def inbox(self) -> Inbox | None:
        return self._opened.inbox if self._opened is not None else None

    @property
    def outbox(self) -> Outbox | None:
        return self._opened.outbox if self._opened is not None else None

    @property
    def accounts(self) -> Manager:
        """The accounts. Raises UNAVAILABLE when no channel is configured."""
        return self._needed().manager

    def running(self, channel: str, account: str) -> Running | None:
        return self._opened.running(channel, account) if self._opened is not None else None

    async def intake(self, inbound: Inbound) -> Receipt:
        return await self._needed().intake(inbound)

    async def pressed(self, callback: Callback) -> str:
        return await self._needed().pressed(callback)

    def approval_changed(self, approval: Approval) -> None:
        if self._opened is not None:
            self._opened.approval_changed(approval)

    def question_changed(self, row: Asked) -> None:
        if self._opened is not None:
            self._opened.question_changed(row)

    async def webhook(self, channel: str, account: str, request: WebhookRequest) -> WebhookResponse | None:
        """Passes a request to the account it is for; `None` when no channel is configured."""
        return await self._opened.webhook(channel, account, request) if self._opened is not None else None

    async def deliver(self, outbound: Outbound) -> None:
        """Puts a message of the house into the outbox (`contract.Deliver`)."""
        self._needed().deliver(outbound)

    async def say(
        self,
        channel: str,
        target: Peer,
        text: str,
        name: str,
        *,
        account: str | None = None,
        thread: Thread | None = None,
        reply_to: str | None = None,
        media: Sequence[Attachment] = (),
    ) -> list[Delivery]:
        """Says `text` in a conversation and returns once the platform has it. `name` makes a repeat recognisable.

        Raises `OpenClawError`: the channel does not run, the message was refused or may have arrived.
        """
        return await self._needed().say(
            self.channels.find(channel),
            target,
            text,
            name,
            account=account,
            thread=thread,
            reply_to=reply_to,
            media=media,
        )

    def approve(self, channel: str, code: str, *, by: str, via: Via, account: str | None = None) -> Pairing:
        """Lets a sender in and tells him so. Raises `PairingError`."""
        row = self.pairings.approve(self.channels.find(channel), code, by=by, via=via, account=account)
        if self._opened is not None:
            self._opened.tell_approved(row)
        return row

    def reject(self, channel: str, code: str, *, by: str, account: str | None = None) -> Pairing:
        """Turns a sender down. Raises `PairingError`."""
        return self.pairings.reject(self.channels.find(channel), code, by=by, account=account)

    def _needed(self) -> Opened:
        if self._opened is None:
            raise unavailable(self.problem or "no channel is configured; add one below channels in openclaw.json")
        return self._opened


def _configured(config: OpenClawConfig) -> bool:
    return any(name != "defaults" and block.get("enabled") is not False for name, block in config.channels.items())
