"""All accounts of all channels: started, reloaded, watched (CHN-04 to CHN-08).

Nothing of a channel is imported before one of its accounts is configured. A failing account never touches another.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path

from openclaw_gateway.channels.contract import Account, ChannelError, ChannelPlugin, Resolve, WebhookRequest, WebhookResponse
from openclaw_gateway.channels.registry import Channels
from openclaw_gateway.channels.running import Intake, Menu, Pressed, Running
from openclaw_gateway.channels.timing import Timing
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.envelope import DEFAULT_ACCOUNT
from openclaw_kernel.values.errors import UserError, invalid, unavailable

HEALTH_EVERY_S = 300.0
START_GRACE_MS = 60_000
CONNECT_GRACE_MS = 120_000
COOLDOWN_MS = 600_000
RESTARTS_PER_HOUR = 10
IDLE_MS = 1_800_000
"""A connection that said nothing for half an hour is taken for dead, when it ever said something (CHN-08)."""
HOUR_MS = 3_600_000
NOT_CHANNELS = frozenset({"defaults"})

log = logging.getLogger(__name__)

Key = tuple[str, str]


class Manager:
    """Used from the event loop only. `on_ready` hears of every account that can send, `on_change` that `channels.status` has
    changed."""

    def __init__(
        self,
        channels: Channels,
        state_dir: Path,
        *,
        resolve: Callable[[], Resolve],
        env: Mapping[str, str],
        intake: Intake,
        pressed: Pressed,
        menu: Menu,
        on_ready: Callable[[str, str], None],
        on_change: Callable[[], None] = lambda: None,
        public_url: Callable[[], str] = lambda: "",
        timing: Timing | None = None,
    ) -> None:
        self.channels = channels
        self.problems: dict[str, str] = {}
        """Channels that cannot run at all, with the sentence that says why."""
        self._state_dir = state_dir
        self._resolve = resolve
        self._env = env
        self._intake, self._pressed, self._menu = intake, pressed, menu
        self._on_ready = on_ready
        self._on_change = on_change
        self._public_url = public_url
        self._time = timing or Timing()
        self._accounts: dict[Key, Running] = {}
        self._restarts: dict[Key, deque[int]] = defaultdict(lambda: deque(maxlen=RESTARTS_PER_HOUR))
        self._started_at = self._time.now()
        self._health: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def apply(self, config: OpenClawConfig) -> None:
        """Makes what runs what the config says: new accounts start, gone ones stop, changed ones restart, others go on."""
        async with self._lock:
            wanted = await asyncio.to_thread(self._wanted, config)
            for key in [key for key in self._accounts if key not in wanted]:
                await self._accounts.pop(key).stop()
            for key, (plugin, account) in wanted.items():
                known = self._accounts.get(key)
                if known is not None and (known.account == account or known.by_hand):
                    known.account = account
                    continue
                if known is not None:
                    await known.stop()
                self._accounts[key] = self._make(plugin, account)
                for warning in self._accounts[key].warnings:
                    log.warning("%s", warning)
                self._accounts[key].start()
        if self._accounts and self._health is None:
            self._health = asyncio.ensure_future(self._watch())
        self._on_change()

    async def close(self) -> None:
        """Logs every account out."""
        if self._health is not None:
            self._health.cancel()
            await asyncio.gather(self._health, return_exceptions=True)
        await asyncio.gather(*(running.stop() for running in self._accounts.values()))
        self._accounts.clear()

    # --- asking

    def get(self, channel: str, account: str = DEFAULT_ACCOUNT) -> Running | None:
        return self._accounts.get((channel, account))

    def account(self, channel: str, account: str | None = None) -> Running:
        """An account by name, else the default or only one. Raises `OpenClawError` with what is missing."""
        rows = [running for key, running in self._accounts.items() if key[0] == channel]
        only = rows[0] if len(rows) == 1 else None
        found = self.get(channel, account) if account is not None else self.get(channel) or only
        if found is None:
            named = f"{channel} account {account}" if account else channel
            raise unavailable(
                self.problems.get(channel) or f"{named} is not configured; add channels.{channel} to openclaw.json"
            )
        return found

    def all(self) -> list[Running]:
        return list(self._accounts.values())

    def ready(self, channel: str, account: str) -> bool:
        running = self.get(channel, account)
        return running is not None and running.ready

    # --- hands

    async def start(self, channel: str, account: str | None = None) -> Running:
        running = self.account(channel, account)
        if running.account.problem:
            raise invalid(running.account.problem)
        running.start()
        return running

    async def stop(self, channel: str, account: str | None = None) -> Running:
        running = self.account(channel, account)
        await running.stop(by_hand=True)
        return running

    async def webhook(self, channel: str, account: str, request: WebhookRequest) -> WebhookResponse:
        """Passes a request to the account it is for; 404 when there is none, 503 while it is not connected."""
        running = self.get(channel, account)
        if running is None or not running.account.enabled or running.plugin.gateway is None:
            return WebhookResponse(404, b"not found\n")
        if running.live is None:
            return WebhookResponse(503, b"the account is not connected\n", headers={"Retry-After": "5"})
        try:
            response: WebhookResponse = await running.live.webhook(request)
        except ChannelError as error:
            log.warning("%s account %s could not take a request: %s", channel, account, error)
            return WebhookResponse(503, b"try again later\n", headers={"Retry-After": "5"})
        return response

    # --- inside

    def _wanted(self, config: OpenClawConfig) -> dict[Key, tuple[ChannelPlugin, Account]]:
        wanted: dict[Key, tuple[ChannelPlugin, Account]] = {}
        self.problems = {}
        for name, block in config.channels.items():
            if name in NOT_CHANNELS or block.get("enabled") is False:
                continue
            try:
                plugin = self.channels.plugin(self.channels.find(name))
                accounts = plugin.config.accounts(block, self._resolve(), self._env)
            except UserError as error:
                self.problems[name] = str(error)
                log.error("channel %s does not run: %s", name, error)
                continue
            wanted |= {(plugin.id, account.id): (plugin, account) for account in accounts}
        return wanted

    def _make(self, plugin: ChannelPlugin, account: Account) -> Running:
        if account.problem:
            log.error("%s account %s does not run: %s", account.channel, account.id, account.problem)
        base = self._public_url().rstrip("/")
        return Running(
            plugin,
            account,
            self._state_dir / account.channel / _folder(account.id),
            f"{base}/channels/{account.channel}/{account.id}/webhook" if base else "",
            intake=self._intake,
            pressed=self._pressed,
            menu=self._menu,
            on_connected=self._connected,
            on_change=self._on_change,
            timing=self._time,
        )

    def _connected(self, running: Running) -> None:
        self._on_ready(running.account.channel, running.account.id)

    # --- health

    async def _watch(self) -> None:
        while True:
            await self._time.sleep(HEALTH_EVERY_S)
            try:
                await self.check_health()
            except Exception:
                log.exception("the health of the channels could not be checked")

    async def check_health(self) -> None:
        """Restarts accounts that are not well, within the limits of CHN-07."""
        now = self._time.now()
        if now - self._started_at < START_GRACE_MS:
            return
        for key, running in list(self._accounts.items()):
            reason = self._illness(running, now)
            if not reason:
                continue
            past = self._restarts[key]
            if past and (now - past[-1] < COOLDOWN_MS or (len(past) == RESTARTS_PER_HOUR and now - past[0] < HOUR_MS)):
                continue
            past.append(now)
            log.warning("%s account %s is restarted: %s", key[0], key[1], reason)
            await running.restart()

    def _illness(self, running: Running, now: int) -> str:
        """What is wrong with an account that should run; empty when it is well or left alone on purpose."""
        account = running.account
        if not (account.enabled and account.configured) or running.plugin.gateway is None:
            return ""
        if running.by_hand or running.given_up or now - running.last_start_at < START_GRACE_MS:
            return ""
        if not running.running:
            return "it stopped"
        if not running.is_connected:
            waiting = running.attempts > 0
            return "" if waiting or now - running.last_start_at < CONNECT_GRACE_MS else "it does not connect"
        silent = running.last_frame_at > running.last_connected_at and now - running.last_frame_at > IDLE_MS
        return "its connection fell silent" if silent else ""


def _folder(account: str) -> str:
    """The account's name as a folder: only what cannot climb out of its parent."""
    safe = "".join(char if char.isalnum() or char in "-_" else f"%{ord(char):02X}" for char in account)
    return safe or DEFAULT_ACCOUNT
