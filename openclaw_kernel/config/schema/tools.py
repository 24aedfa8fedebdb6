"""`tools`: what the assistant may use; closed by default (SAF-03, SAF-04)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from openclaw_kernel.config.schema.base import Loose, NotNegative, OpenSection, Positive, SecretInput, Section
from openclaw_kernel.config.schema.subagents import AgentToAgent, SessionTools, SubagentTools


def _stays(value: bool) -> bool:
    if not value:
        raise ValueError("the file tools never leave the workspace; leave this true, and use exec, which asks, for other files")
    return value


WorkspaceOnly = Annotated[bool, AfterValidator(_stays)]
"""A promise that a configuration may state and not take back (SAF-29)."""


class ApplyPatch(Section):
    """`allow_models` names the models, or providers, that get the tool; empty for all (TOL-05)."""

    enabled: bool = True
    workspace_only: WorkspaceOnly = True
    allow_models: list[str] = Field(default_factory=list)


class ExecTool(Section):
    """Shell commands. `security` full is never a default; `ask` on-miss asks for what no list allows, and auto lets a model
    (`review_model`, else the agent's own) look at it first, which can only spare a question (SAF-04)."""

    host: Literal["auto", "sandbox", "gateway", "node"] = "auto"
    security: Literal["deny", "allowlist", "full"] = "allowlist"
    ask: Literal["off", "auto", "on-miss", "always"] = "on-miss"
    review_model: str | None = None
    node: str | None = None
    safe_bins: list[str] = Field(default_factory=lambda: ["cut", "uniq", "head", "tail", "tr", "wc"])
    path_prepend: list[str] = Field(default_factory=list)
    strict_inline_eval: bool = True
    structure: Literal["whole", "segments"] = "whole"
    timeout_sec: Positive = 1800
    background_ms: NotNegative = 10_000
    cleanup_ms: Positive = 1_800_000
    notify_on_exit: bool = True
    apply_patch: ApplyPatch = Field(default_factory=ApplyPatch)


class FsTool(Section):
    """File tools stay inside the workspace."""

    workspace_only: WorkspaceOnly = True


class SsrfPolicy(OpenSection):
    """`allowedHostnames` are exact hosts (`host` or `host:port`) that may be read although they are private (SAF-25)."""

    allowed_hostnames: list[str] = Field(default_factory=list)


class WebFetch(OpenSection):
    """Reading pages (TOL-09)."""

    enabled: bool = True
    max_chars: Positive = 20_000
    max_response_bytes: Positive = 750_000
    timeout_seconds: Positive = 30
    cache_ttl_minutes: NotNegative = 15
    max_redirects: NotNegative = 3
    user_agent: str | None = None
    ssrf_policy: SsrfPolicy = Field(default_factory=SsrfPolicy)


class SearchService(OpenSection):
    """One search service: where it is, when not at its usual place, and its key."""

    base_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    api_key: SecretInput | None = None


class WebSearch(OpenSection):
    """Searching (TOL-10). `provider` is searxng, brave, tavily or duckduckgo; auto takes the first that is set up, else
    duckduckgo, which needs no key. `apiKey` is the key of the chosen one."""

    enabled: bool = True
    provider: str = "auto"
    api_key: SecretInput | None = None
    max_results: Positive = 5
    timeout_seconds: Positive = 30
    cache_ttl_minutes: NotNegative = 15
    searxng: SearchService = Field(default_factory=SearchService)
    brave: SearchService = Field(default_factory=SearchService)
    tavily: SearchService = Field(default_factory=SearchService)
    duckduckgo: SearchService = Field(default_factory=SearchService)


class WebTools(OpenSection):
    """What the assistant may do on the web."""

    fetch: WebFetch = Field(default_factory=WebFetch)
    search: WebSearch = Field(default_factory=WebSearch)


class SandboxToolPolicy(Section):
    """What a sandboxed session may use (SAF-21). `allow` and `deny` stand in for what is built in, `also_allow` adds to it; an
    empty `allow` leaves everything that is not denied."""

    allow: list[str] | None = None
    also_allow: list[str] = Field(default_factory=list)
    deny: list[str] | None = None


class SandboxTools(Section):
    """Tools of sandboxed sessions."""

    tools: SandboxToolPolicy = Field(default_factory=SandboxToolPolicy)


class LoopDetection(OpenSection):
    """The same call with the same result: said to the model, then refused, then the end of the run (SAF-30). The last
    `history_size` calls are looked at, never fewer than the highest threshold needs."""

    enabled: bool = True
    history_size: Positive = 30
    warning_threshold: Positive = 10
    critical_threshold: Positive = 20
    global_circuit_breaker_threshold: Positive = 30


class Tools(Section):
    """`profile` names the starting set, `allow` narrows it, `also_allow` adds to it, `deny` wins."""

    profile: Literal["minimal", "coding", "messaging", "full"] = "coding"
    allow: list[str] | None = None
    also_allow: list[str] = Field(default_factory=list)
    deny: list[str] = Field(default_factory=list)
    exec: ExecTool = Field(default_factory=ExecTool)
    fs: FsTool = Field(default_factory=FsTool)
    by_provider: Loose = Field(default_factory=dict)
    web: WebTools = Field(default_factory=WebTools)
    media: Loose = Field(default_factory=dict)
    links: Loose = Field(default_factory=dict)
    message: Loose = Field(default_factory=dict)
    agent_to_agent: AgentToAgent = Field(default_factory=AgentToAgent)
    sessions: SessionTools = Field(default_factory=SessionTools)
    elevated: Loose = Field(default_factory=dict)
    sandbox: SandboxTools = Field(default_factory=SandboxTools)
    subagents: SubagentTools = Field(default_factory=SubagentTools)
    loop_detection: LoopDetection = Field(default_factory=LoopDetection)
