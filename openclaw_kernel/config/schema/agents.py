"""`agents`: the defaults of every agent and the list of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from openclaw_kernel.config.schema.base import Loose, NotNegative, OpenSection, Positive, Section
from openclaw_kernel.config.schema.cron import Heartbeat
from openclaw_kernel.config.schema.sandbox import SandboxSettings
from openclaw_kernel.config.schema.subagents import AgentSubagents, SubagentDefaults
from openclaw_kernel.config.schema.tools import SandboxTools

ThinkingLevel = Literal["off", "minimal", "low", "medium", "high", "xhigh", "adaptive", "max", "ultra"]


class ModelChoice(Section):
    """`primary` and what to try after it, each `provider/model`. No primary means `builtin/offline`."""

    primary: str | None = None
    fallbacks: list[str] = Field(default_factory=list)


def _model_form(value: object) -> str:
    return "text" if isinstance(value, str) else "choice"


ModelSetting = Annotated[
    Annotated[str, Tag("text")] | Annotated[ModelChoice, Tag("choice")],
    Discriminator(_model_form),
]
"""`"provider/model"` or `{primary, fallbacks}`."""


class ModelEntry(Section):
    """What a user says about one model under `agents.defaults.models`."""

    alias: str | None = None
    params: Loose = Field(default_factory=dict)
    streaming: bool = True


class Identity(Section):
    """How an agent shows itself. `avatar` is a URL, a data URL or a path in the workspace."""

    name: str | None = None
    theme: str | None = None
    emoji: str | None = None
    avatar: str | None = None


class AgentTools(Section):
    """Tools of one agent; deny wins over everything (SAF-02)."""

    profile: Literal["minimal", "coding", "messaging", "full"] | None = None
    allow: list[str] | None = None
    also_allow: list[str] = Field(default_factory=list)
    deny: list[str] = Field(default_factory=list)
    by_provider: Loose = Field(default_factory=dict)
    exec: Loose = Field(default_factory=dict)
    elevated: Loose = Field(default_factory=dict)
    sandbox: SandboxTools = Field(default_factory=SandboxTools)
    fs: Loose = Field(default_factory=dict)


class MemoryFlush(OpenSection):
    """Notes before a compaction (AGT-28): this many tokens under the threshold, or after this many bytes of transcript."""

    enabled: bool = True
    soft_threshold_tokens: NotNegative = 4_000
    transcript_bytes: Positive = 2_000_000


class Compaction(OpenSection):
    """How a history is shortened (AGT-30, AGT-31). `model` summarises in place of the session's own."""

    mode: Literal["safeguard", "default", "off"] = "safeguard"
    model: str | None = None
    keep_recent_tokens: Positive = 20_000
    reserve_tokens_floor: NotNegative = 20_000
    max_active_transcript_bytes: Positive | None = None
    memory_flush: MemoryFlush = Field(default_factory=MemoryFlush)


class ContextPruning(OpenSection):
    """Old tool results shortened in what the model sees (AGT-32). `ttl_minutes` is the life of the provider's cache."""

    mode: Literal["off", "cache-ttl"] = "off"
    ttl_minutes: Positive | None = None
    keep_last_assistants: NotNegative = 3


class BlockChunk(Section):
    """How long the parts of a streamed answer are, and where they end (AGT-14)."""

    min_chars: Positive = 800
    max_chars: Positive = 1_200
    break_preference: Literal["paragraph", "newline", "sentence"] = "paragraph"


class BlockCoalesce(Section):
    """Parts that are held for a moment and sent together (AGT-15). `None` is the channel's own."""

    min_chars: Positive | None = None
    max_chars: Positive | None = None
    idle_ms: Positive = 1_000


class AgentDefaults(Section):
    """What holds for every agent that does not say otherwise. `timeout_seconds` is for a whole turn: 48 h."""

    model: ModelSetting = Field(default_factory=ModelChoice)
    image_model: ModelSetting | None = None
    utility_model: ModelSetting | None = None
    models: dict[str, ModelEntry] = Field(default_factory=dict)
    workspace: str | None = None
    repo_root: str | None = None
    skip_bootstrap: bool = False
    bootstrap_max_chars: Positive = 20_000
    user_timezone: str | None = None
    time_format: Literal["auto", "12", "24"] = "auto"
    thinking_default: ThinkingLevel | None = None
    verbose_default: Literal["off", "on", "full"] = "off"
    elevated_default: Literal["off", "on", "ask", "full"] = "off"
    timeout_seconds: Positive = 172_800
    max_concurrent: Positive = 32
    context_tokens: Positive | None = None
    media_max_mb: float = 5.0
    image_max_dimension_px: Positive = 1200
    block_streaming_default: Literal["off", "on"] = "off"
    block_streaming_break: Literal["text_end", "message_end"] = "text_end"
    block_streaming_chunk: BlockChunk = Field(default_factory=BlockChunk)
    block_streaming_coalesce: BlockCoalesce = Field(default_factory=BlockCoalesce)
    skills: list[str] | None = None
    compaction: Compaction = Field(default_factory=Compaction)
    context_pruning: ContextPruning = Field(default_factory=ContextPruning)
    prompt_profile: Literal["auto", "full", "lean"] = "auto"
    bootstrap_total_max_chars: Positive = 60_000
    memory_search: Loose = Field(default_factory=dict)
    heartbeat: Heartbeat = Field(default_factory=Heartbeat)
    subagents: SubagentDefaults = Field(default_factory=SubagentDefaults)
    sandbox: SandboxSettings = Field(default_factory=SandboxSettings)
    human_delay: Loose = Field(default_factory=dict)
    params: Loose = Field(default_factory=dict)


class AgentEntry(Section):
    """One agent. `id` becomes part of session keys and of directory names."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    default: bool = False
    name: str | None = None
    description: str | None = None
    workspace: str | None = None
    agent_dir: str | None = None
    model: ModelSetting | None = None
    thinking_default: ThinkingLevel | None = None
    timeout_seconds: Positive | None = None
    identity: Identity = Field(default_factory=Identity)
    tools: AgentTools = Field(default_factory=AgentTools)
    skills: list[str] | None = None
    memory_search: Loose = Field(default_factory=dict)
    heartbeat: Heartbeat | None = None
    group_chat: Loose = Field(default_factory=dict)
    subagents: AgentSubagents = Field(default_factory=AgentSubagents)
    sandbox: SandboxSettings = Field(default_factory=SandboxSettings)
    human_delay: Loose = Field(default_factory=dict)
    params: Loose = Field(default_factory=dict)


AgentRows = list[AgentEntry]
"""Named here, because inside `Agents` the name `list` is a field."""


class Agents(Section):
    """No list means one agent, `main`."""

    defaults: AgentDefaults = Field(default_factory=AgentDefaults)
    list: AgentRows = Field(default_factory=AgentRows)
