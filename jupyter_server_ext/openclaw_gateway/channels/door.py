"""The door of the channels: is this message heard? Asked before anything of it is kept, fetched or told (ROU-04, CHN-14)."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace

from openclaw_gateway.channels.contract import Account, ChannelPlugin
from openclaw_gateway.channels.ledger_rows import Lane, lane_of
from openclaw_gateway.routing.access import AccessFacts, Lists, Verdict, decide
from openclaw_gateway.routing.mention import Mention, matches
from openclaw_gateway.routing.pairing import Pairings
from openclaw_gateway.routing.policy import AccessPolicy, read_policy
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.envelope import HistoryLine, Inbound, Peer, Sender

HISTORY = 50
"""Group messages kept until we are spoken to."""
ROOMS = 500
"""Groups whose history is kept; the longest silent one is forgotten first."""
BOT_LIMIT = 20
BOT_WINDOW_MS = 60_000
BOT_QUIET_MS = 60_000


class Door:
    """Reads one config at a time. Used from the event loop only."""

    def __init__(self, config: OpenClawConfig, pairings: Callable[[], Pairings], is_command: Callable[[str], bool]) -> None:
        self._pairings = pairings
        self._is_command = is_command
        self.reconfigure(config)

    def reconfigure(self, config: OpenClawConfig) -> None:
        """Take a new config. Raises `AccessError` for a setting that cannot be used; the old one stays in force then."""
        lists = Lists.from_config(config)
        for name in config.channels:
            read_policy(config, name)
        self._config, self._lists = config, lists
        self._policies: dict[tuple[str, str], AccessPolicy] = {}
        chat = config.messages.get("groupChat")
        patterns = chat.get("mentionPatterns") if isinstance(chat, dict) else None
        self._patterns = tuple(str(row) for row in patterns) if isinstance(patterns, list) else ()

    def verdict(self, inbound: Inbound, plugin: ChannelPlugin, account: Account) -> Verdict:
        """What to do with a message."""
        pairings, who = self._pairings(), inbound.sender.id
        facts = AccessFacts(
            paired=pairings.is_approved(inbound.channel, inbound.account, who),
            paired_owner=pairings.is_owner(inbound.channel, inbound.account, who),
            mention=self._mention(inbound, plugin, account),
            command=self._is_command(inbound.command_text),
        )
        return decide(self.policy(inbound.channel, inbound.account), self._lists, inbound, facts)

    def is_owner(self, channel: str, account: str, sender: Sender) -> bool:
        """Whether the sender owns the assistant."""
        probe = Inbound(channel, Peer("direct", sender.id), sender, "", 0, account=account)
        owner = self._pairings().is_owner(channel, account, sender.id)
        return decide(self.policy(channel, account), self._lists, probe, AccessFacts(paired_owner=owner)).owner

    def policy(self, channel: str, account: str) -> AccessPolicy:
        key = (channel, account)
        if key not in self._policies:
            self._policies[key] = read_policy(self._config, channel, account)
        return self._policies[key]

    def _mention(self, inbound: Inbound, plugin: ChannelPlugin, account: Account) -> Mention:
        if inbound.peer.kind == "direct":
            return Mention()
        return Mention(
            native=plugin.groups is not None and plugin.groups.mentions(inbound, account),
            pattern=matches(self._patterns, inbound.text),
            reply=inbound.reply is not None and inbound.reply.from_us,
        )


class Histories:
    """What was said in groups since the assistant was last spoken to. In memory only: nobody asked to keep it."""

    def __init__(self, limit: int = HISTORY) -> None:
        self._limit = limit
        self._rooms: OrderedDict[Lane, deque[HistoryLine]] = OrderedDict()

    def add(self, inbound: Inbound) -> None:
        if not inbound.text:
            return
        lane = lane_of(inbound.channel, inbound.account, inbound.peer, inbound.thread)
        lines = self._rooms.setdefault(lane, deque(maxlen=self._limit))
        self._rooms.move_to_end(lane)
        name = inbound.sender.name or inbound.sender.username or inbound.sender.id
        lines.append(HistoryLine(name, inbound.text, inbound.time, inbound.message_id))
        while len(self._rooms) > ROOMS:
            self._rooms.popitem(last=False)

    def take(self, inbound: Inbound) -> Inbound:
        """The message with what was said before it; the room starts anew."""
        lines = self._rooms.pop(lane_of(inbound.channel, inbound.account, inbound.peer, inbound.thread), None)
        return replace(inbound, history=(*inbound.history, *lines)) if lines else inbound


class LoopGuard:
    """Two bots that answer each other: after 20 messages of a bot within 60 s it is not heard for 60 s (CHN-14)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[Lane, str], deque[int]] = OrderedDict()
        self._quiet: dict[tuple[Lane, str], int] = {}

    def lets(self, inbound: Inbound) -> bool:
        if not inbound.sender.is_bot:
            return True
        key = (lane_of(inbound.channel, inbound.account, inbound.peer, inbound.thread), inbound.sender.id)
        now = self._clock()
        if now < self._quiet.get(key, 0):
            return False
        seen = self._seen.setdefault(key, deque(maxlen=BOT_LIMIT))
        self._seen.move_to_end(key)
        if len(seen) == BOT_LIMIT and now - seen[0] < BOT_WINDOW_MS:
            self._quiet[key] = now + BOT_QUIET_MS
            seen.clear()
            return False
        seen.append(now)
        while len(self._seen) > ROOMS:
            old, _ = self._seen.popitem(last=False)
            self._quiet.pop(old, None)
        return True
