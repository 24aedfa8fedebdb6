"""What a channel is: four required parts and eleven optional ones (CHN-01). Only what exists is called.

A plugin is a value. Its adapters are stateless; what lives as long as a connection is the `Live` that `gateway.start` yields.
`manifest.py` beside an adapter names the plugin by import string, so that listing channels imports no SDK (CHN-03).

    async with plugin.gateway.start(account, host) as live:      # the manager does this, with its restart ladder
        sent = await plugin.outbound.send(live, outbound)
        await live.ended()                                        # returns or raises when the connection is lost
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from openclaw_kernel.values.envelope import DEFAULT_ACCOUNT, Attachment, Inbound, Outbound, Peer, PeerKind, Sender, Thread

ContentFormat = Literal["plain", "markdown", "telegram-html", "discord", "slack", "whatsapp"]
TextUnit = Literal["characters", "utf16", "bytes"]
"""How a platform counts the length of a text."""
CredentialSource = Literal["config", "env", "file", "none"]


# --- the four required parts ---


@dataclass(frozen=True, slots=True)
class ChannelMeta:
    """How a channel introduces itself. `extra` is the pip extra that brings its SDK; `order` sorts lists."""

    label: str
    blurb: str
    extra: str = ""
    order: int = 100
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelCapabilities:
    """What the platform can do (CHN-02). Limits are in units of `count`, `media_bytes` in bytes; `min_gap_ms` between two sends
    of one account (CHN-11)."""

    chat_types: frozenset[PeerKind] = frozenset({"direct"})
    text_limit: int = 4_000
    caption_limit: int = 1_024
    media_bytes: int = 20_000_000
    min_gap_ms: int = 0
    format: ContentFormat = "plain"
    count: TextUnit = "characters"
    media: bool = False
    edit: bool = False
    unsend: bool = False
    typing: bool = False
    buttons: bool = False
    reactions: bool = False
    polls: bool = False
    threads: bool = False
    native_commands: bool = False
    block_streaming: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """One login of a channel (CHN-05). `problem` says in one sentence what is missing when it is not `configured`.

    `settings` is the account's own model with the channel's values filled in; secrets in it are resolved and never printed.
    """

    channel: str
    id: str = DEFAULT_ACCOUNT
    name: str = ""
    enabled: bool = True
    configured: bool = True
    problem: str = ""
    credential: CredentialSource = "none"
    settings: Any = field(default=None, repr=False)


Resolve = Callable[[Any, str], str]
"""A secret input and where it stands in the config → its value. Raises `UserError`."""


class ConfigAdapter(Protocol):
    """Reads `channels.<id>`. `settings` is the strict model of the block, for `config.schema` and for error messages."""

    settings: type[BaseModel]

    def accounts(self, block: Mapping[str, Any], resolve: Resolve, env: Mapping[str, str]) -> list[Account]:
        """Every account of the block, default first. Raises `UserError` for an invalid block."""


# --- a running account ---

Receipt = Literal["accepted", "duplicate", "refused"]


@dataclass(frozen=True, slots=True)
class Callback:
    """A person pressed one of our buttons. `data` is what we put on it; `token` lets the platform be answered."""

    channel: str
    account: str
    peer: Peer
    sender: Sender
    data: str
    message_id: str = ""
    thread: Thread | None = None
    token: str = ""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request to `/channels/{channel}/{account}/webhook`. Header names are lower case; `body` is raw."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    remote_ip: str = ""


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class AccountHost(Protocol):
    """What the house offers a running account.

    `intake` returns once the message is in the inbox ledger; only then may the platform be told "received".
    `alive` notes a frame of the connection itself (CHN-08); `connected` moves the status.
    """

    state_dir: Path
    """Private folder of this account: cursors, credentials."""

    webhook_url: str
    """Public address of the account's webhook, empty when none is configured."""

    async def intake(self, inbound: Inbound) -> Receipt: ...

    async def callback(self, callback: Callback) -> str:
        """What to show the person who pressed; never raises."""

    def connected(self, yes: bool) -> None: ...

    def alive(self) -> None: ...

    def commands(self) -> Sequence[tuple[str, str]]:
        """Native menu: (name, description)."""


class Live(Protocol):
    """A running account. `webhook` answers its HTTP requests; an account without one answers 404."""

    async def ended(self) -> None:
        """Returns when the account was stopped, raises `ChannelError` when the connection was lost."""

    async def webhook(self, request: WebhookRequest) -> WebhookResponse: ...

    async def fetch(self, attachment: Attachment, into: Path, limit: int) -> Attachment:
        """Downloads a file that was announced by `ref` into the folder `into`. Called only for senders who are heard.
        Raises `ChannelError`."""


class ChannelError(Exception):
    """A connection or a send failed. `kind` decides what follows.

    `retry`: try again, not before `retry_after_s`. `markup`: send as plain text once. `refused`: the platform will never take
    it. `fatal`: the account cannot run until its configuration changes. `ambiguous`: it may have been delivered.
    """

    def __init__(
        self,
        sentence: str,
        kind: Literal["retry", "markup", "refused", "fatal", "ambiguous"] = "retry",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.retry_after_s = retry_after_s


# --- the eleven optional parts ---


class GatewayAdapter(Protocol):
    """Holds the connection."""

    def start(self, account: Account, host: AccountHost) -> AbstractAsyncContextManager[Any]:
        """Yields a `Live` once logged in; leaving the context logs out. Raises `ChannelError`."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the platform called the message."""

    message_id: str
    conversation: str = ""


class OutboundAdapter(Protocol):
    """Speaks. `outbound.text` is Markdown already cut to size and rendered into `capabilities.format`.

    `outbound.payload` may hold `buttons`: rows of `{label, data}`, `format: "plain"` when the text is not markup, because the
    platform refused the markup before, and `part` `of` how many parts the answer has. Raises `ChannelError`.
    """

    async def send(self, live: Any, outbound: Outbound) -> Sent: ...

    async def edit(self, live: Any, sent: Sent, outbound: Outbound) -> None:
        """Replaces text and buttons; called only with `capabilities.edit`."""

    async def typing(self, live: Any, target: Peer, thread: Thread | None) -> None:
        """Shows that an answer is being written; called only with `capabilities.typing`."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Is the account well? `detail` is for a person."""

    ok: bool
    detail: str = ""
    identity: str = ""


class StatusAdapter(Protocol):
    async def probe(self, live: Any) -> Probe: ...


class PairingAdapter(Protocol):
    """How a stranger learns the code, and that the door is open. Both return Markdown."""

    def challenge(self, code: str, sender: Sender) -> str: ...

    def approved(self) -> str: ...


class SecurityAdapter(Protocol):
    """One sentence for each thing about this account that an owner should know."""

    def warnings(self, account: Account) -> Sequence[str]: ...


class GroupsAdapter(Protocol):
    """Facts about groups that only the platform knows."""

    def mentions(self, inbound: Inbound, account: Account) -> bool:
        """The platform itself marks the message as spoken to us."""


class ThreadingAdapter(Protocol):
    """Whether answers quote: `off`, `first` (only the first part), `all`."""

    def reply_mode(self, account: Account, inbound: Inbound) -> Literal["off", "first", "all"]: ...


class MessagingAdapter(Protocol):
    """Targets as people write them → a peer. Raises `OpenClawError` (INVALID_REQUEST)."""

    def target(self, text: str) -> tuple[Peer, Thread | None]: ...


class DirectoryAdapter(Protocol):
    async def peers(self, live: Any, query: str, limit: int) -> Sequence[tuple[Peer, str]]:
        """Known conversations with their names."""


class ActionsAdapter(Protocol):
    """What can be done to messages beyond sending: `react`, `edit`, `delete`, `pin`, …"""

    supported: frozenset[str]

    async def perform(self, live: Any, action: str, params: Mapping[str, Any]) -> Mapping[str, Any]: ...


class AuthAdapter(Protocol):
    """Login that needs a person (a QR code, a device code). Yields steps `{kind, …}` until done."""

    def login(self, account: Account, host: AccountHost) -> Any: ...

    async def logout(self, account: Account, host: AccountHost) -> None: ...


@dataclass(frozen=True, slots=True)
class ChannelPlugin:
    """A channel. The first four make it listed and configurable; the others make it do things."""

    id: str
    meta: ChannelMeta
    capabilities: ChannelCapabilities
    config: ConfigAdapter
    gateway: GatewayAdapter | None = None
    outbound: OutboundAdapter | None = None
    status: StatusAdapter | None = None
    pairing: PairingAdapter | None = None
    security: SecurityAdapter | None = None
    groups: GroupsAdapter | None = None
    threading: ThreadingAdapter | None = None
    messaging: MessagingAdapter | None = None
    directory: DirectoryAdapter | None = None
    actions: ActionsAdapter | None = None
    auth: AuthAdapter | None = None


@dataclass(frozen=True, slots=True)
class ChannelManifest:
    """Known without any SDK. `plugin` is an import string `package.module:NAME`; `requires` are import names it needs."""

    id: str
    meta: ChannelMeta
    plugin: str
    requires: tuple[str, ...] = ()


Deliver = Callable[[Outbound], Awaitable[None]]
"""Puts a message into the outbox; returns once it is in the ledger."""
