"""What the block of every channel has in common. A channel's own model adds its keys and is as strict (CFG-03).

The blocks themselves stay open here, because which channels exist is known only where they are; each adapter checks its own.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import Loose, Positive, Section

Entries = list[str | int]
DmPolicy = Literal["pairing", "allowlist", "open", "disabled"]
GroupPolicy = Literal["allowlist", "open", "disabled"]


class GroupSettings(Section):
    """One entry of `groups`, by the group's id or `*`. What is absent holds as the account says."""

    enabled: bool = True
    group_policy: GroupPolicy | None = None
    require_mention: bool | None = None
    allow_from: Entries | None = None
    system_prompt: str | None = None


class AccountSettings(Section):
    """One account. `None` means that the layer above decides: account before channel before `channels.defaults` (CHN-05)."""

    enabled: bool = True
    name: str = ""
    dm_policy: DmPolicy | None = None
    allow_from: Entries | None = None
    group_policy: GroupPolicy | None = None
    group_allow_from: Entries | None = None
    groups: dict[str, GroupSettings] = Field(default_factory=dict)
    require_mention: bool | None = None
    dangerously_allow_name_matching: bool | None = None
    text_chunk_limit: Positive | None = None
    chunk_mode: Literal["length", "newline"] = "length"
    reply_to_mode: Literal["off", "first", "all"] = "off"
    block_streaming: bool | None = None


class ChannelSettings(AccountSettings):
    """A whole block: the account `default`, and further ones that inherit from it."""

    accounts: dict[str, Loose] = Field(default_factory=dict)
