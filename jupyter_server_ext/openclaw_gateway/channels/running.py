"""One account and its connection: started, watched, started again by the ladder (CHN-06, CHN-08)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from openclaw_gateway.channels.contract import Account, Callback, ChannelError, ChannelPlugin, Receipt
from openclaw_gateway.channels.timing import Timing
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.values.envelope import Inbound
from openclaw_kernel.values.errors import UserError

FIRST_WAIT_S = 5.0
WAIT_CAP_S = 300.0
ATTEMPTS = 10
STABLE_MS = 300_000
FLAPS = 10
FLAP_WINDOW_MS = 300_000
"""Ten lost connections within five minutes are a loop: the SDK's own reconnecting is ended and the ladder takes over."""
STOP_LIMIT_S = 10.0

log = logging.getLogger(__name__)

Intake = Callable[[Inbound], Awaitable[Receipt]]
Pressed = Callable[[Callback], Awaitable[str]]
Menu = Callable[[], Sequence[tuple[str, str]]]


class Running:
    """An account under the manager's care; it is also the `AccountHost` its adapter talks to."""

    def __init__(
        self,
        plugin: ChannelPlugin,
        account: Account,
        state_dir: Path,
        webhook_url: str,
        *,
        intake: Intake,
        pressed: Pressed,
        menu: Menu,
        on_connected: Callable[[Running], None],
        on_change: Callable[[], None],
        timing: Timing,
    ) -> None:
        self.plugin = plugin
        self.account = account
        self.state_dir = state_dir
        self.webhook_url = webhook_url
        self.commands = menu
        self.live: Any = None
        self.is_connected = False
        self.last_error = account.problem
        self.last_start_at = 0
        self.last_connected_at = 0
        self.last_frame_at = 0
        self.last_inbound_at = 0
        self.last_outbound_at = 0
        self.attempts = 0
        self.by_hand = False
        """Stopped by a person: nobody but a person starts it again."""
        self.given_up = False
        self.warnings = list(plugin.security.warnings(account)) if plugin.security is not None else []
        self._intake = intake
        self._pressed = pressed
        self._on_connected = on_connected
        self._on_change = on_change
        self._told: tuple[object, ...] = ()
        self._time = timing
        self._task: asyncio.Task[None] | None = None
        self._flaps: deque[int] = deque(maxlen=FLAPS)
        self._looping = asyncio.Event()
        self._is_ready = asyncio.Event()

    # --- what the adapter calls

    async def intake(self, inbound: Inbound) -> Receipt:
        self.alive()
        self.last_inbound_at = self._time.now()
        return await self._intake(inbound)

    async def callback(self, callback: Callback) -> str:
        self.alive()
        return await self._pressed(callback)

    def connected(self, yes: bool) -> None:
        now = self._time.now()
        if yes:
            self.last_frame_at = now
            if not self.is_connected:
                self.is_connected, self.last_connected_at = True, now
                self._tell_ready()
        elif self.is_connected:
            self.is_connected = False
            self._is_ready.clear()
            self._flaps.append(now)
            if len(self._flaps) == FLAPS and now - self._flaps[0] < FLAP_WINDOW_MS:
                self._looping.set()
        self._tell_change()

    def alive(self) -> None:
        self.last_frame_at = self._time.now()

    # --- what the manager calls

    @property
    def running(self) -> bool:
        """Connected, connecting or waiting for its next attempt."""
        return self._task is not None and not self._task.done()

    @property
    def ready(self) -> bool:
        """Messages can be sent."""
        return self.live is not None and self.is_connected

    async def until_ready(self) -> None:
        """Returns once messages can be sent; put a time limit around it."""
        await self._is_ready.wait()

    def start(self) -> None:
        """Begins; an account that is off or not configured stays as it is."""
        if self.running or not (self.account.enabled and self.account.configured) or self.plugin.gateway is None:
            return
        self.by_hand = self.given_up = False
        self.attempts = 0
        self._task = asyncio.ensure_future(self._climb())

    async def stop(self, *, by_hand: bool = False) -> None:
        self.by_hand = by_hand or self.by_hand
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=STOP_LIMIT_S)
        self._down()
        self._tell_change()

    async def restart(self) -> None:
        """Once more from the bottom of the ladder."""
        await self.stop()
        self.start()

    def snapshot(self) -> dict[str, Any]:
        """The account's part of `channels.status` (CHN-04). Holds no secret."""
        account = self.account
        return {
            "accountId": account.id,
            "name": account.name or account.id,
            "enabled": account.enabled,
            "configured": account.configured,
            "running": self.running,
            "connected": self.is_connected,
            "lastError": self.last_error or None,
            "lastStartAt": self.last_start_at or None,
            "lastConnectedAt": self.last_connected_at or None,
            "lastInboundAt": self.last_inbound_at or None,
            "lastOutboundAt": self.last_outbound_at or None,
            "lastEventAt": self.last_frame_at or None,
            "reconnectAttempts": self.attempts,
            "stoppedByHand": self.by_hand,
            "credentialSource": account.credential,
            "credentialStatus": "available" if account.configured else "missing",
            "warnings": self.warnings,
        }

    # --- the ladder

    async def _climb(self) -> None:
        while True:
            self.last_start_at = self._time.now()
            try:
                await self._connection()
                return
            except ChannelError as error:
                self.last_error = str(error)
                if error.kind == "fatal":
                    self.given_up = True
                    log.error("%s account %s is stopped: %s", self.account.channel, self.account.id, error)
                    return
                hint = error.retry_after_s or 0.0
            except (OSError, UserError) as error:
                self.last_error, hint = str(error), 0.0
            except Exception as error:
                log.exception("%s account %s failed in an unforeseen way", self.account.channel, self.account.id)
                self.last_error, hint = f"{type(error).__name__}: {error}", 0.0
            finally:
                self._down()
                self._tell_change()
            self.attempts = 1 if self._was_stable() else self.attempts + 1
            if self.attempts > ATTEMPTS:
                log.error("%s account %s is given up after %d attempts", self.account.channel, self.account.id, ATTEMPTS)
                return
            wait_s = max(hint, self._time.doubled(FIRST_WAIT_S, self.attempts, WAIT_CAP_S))
            log.warning("%s account %s: %s; again in %.0f s", self.account.channel, self.account.id, self.last_error, wait_s)
            await self._time.sleep(wait_s)

    async def _connection(self) -> None:
        assert self.plugin.gateway is not None
        await asyncio.to_thread(ensure_private_dir, self.state_dir)
        self._looping.clear()
        self._flaps.clear()
        self.last_connected_at = 0
        async with self.plugin.gateway.start(self.account, self) as live:
            self.live = live
            self.last_error = ""
            self.connected(True)
            self._tell_ready()
            self._tell_change()
            ended = asyncio.ensure_future(live.ended())
            looping = asyncio.ensure_future(self._looping.wait())
            try:
                await asyncio.wait([ended, looping], return_when=asyncio.FIRST_COMPLETED)
                if not ended.done():
                    raise ChannelError(f"the connection was lost {FLAPS} times within five minutes")
                await ended
            finally:
                ended.cancel()
                looping.cancel()
                await asyncio.gather(ended, looping, return_exceptions=True)

    def _was_stable(self) -> bool:
        return bool(self.last_connected_at) and self._time.now() - self.last_connected_at >= STABLE_MS

    def _tell_ready(self) -> None:
        if self.ready:
            self._is_ready.set()
            self._on_connected(self)

    def _tell_change(self) -> None:
        state = (self.ready, self.by_hand, self.given_up, self.last_error)
        if state != self._told:
            self._told = state
            self._on_change()

    def _down(self) -> None:
        self.live = None
        self.is_connected = False
        self._is_ready.clear()
