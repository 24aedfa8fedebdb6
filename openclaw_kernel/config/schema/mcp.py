"""`mcp`: servers whose tools the assistant may use (TOL-25)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from openclaw_kernel.config.schema.base import NotNegative, OpenSection, Positive, SecretInput, Section

Seconds = float

_BEFORE = """BASH_ENV BASHOPTS ENV FPATH IFS KSH_ENV LD_AUDIT LD_LIBRARY_PATH LD_PRELOAD DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH
    NODE_OPTIONS NODE_REDIRECT_WARNINGS NODE_REPL_EXTERNAL_MODULE NODE_REPL_HISTORY NODE_V8_COVERAGE PERL5LIB PERL5OPT
    PROMPT_COMMAND PS4 PYTHONHOME PYTHONINSPECT PYTHONPATH PYTHONSTARTUP RUBYLIB RUBYOPT SHELLOPTS TCLLIBPATH"""
_BEFORE_THE_PROGRAM = frozenset(_BEFORE.split())
"""Variables that make an interpreter or a loader run something else before the server's first word."""


class McpToolFilter(Section):
    """Names of a server's own tools, with `*`; `exclude` wins. An empty `include` is everything."""

    include: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)


class McpServer(OpenSection):
    """One server: a program that is started (`command`) or an address (`url`). Keys of other runtimes are kept as they are."""

    enabled: bool = True
    command: str | None = Field(default=None, min_length=1)
    args: list[str] = Field(default_factory=list)
    env: dict[str, SecretInput] = Field(default_factory=dict, repr=False)
    cwd: str | None = None
    working_directory: str | None = None
    url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+\S*$", repr=False)
    transport: Literal["stdio", "streamable-http", "sse"] | None = None
    headers: dict[str, SecretInput] = Field(default_factory=dict, repr=False)
    timeout: Seconds | None = Field(default=None, gt=0)
    connect_timeout: Seconds | None = Field(default=None, gt=0)
    request_timeout_ms: Positive | None = None
    connection_timeout_ms: Positive | None = None
    tool_filter: McpToolFilter = Field(default_factory=McpToolFilter)

    @model_validator(mode="after")
    def _one_way(self) -> McpServer:
        if bool(self.command) == bool(self.url):
            raise ValueError("give either command (a program to start) or url (an address), not both and not neither")
        if self.transport is not None and (self.transport == "stdio") != bool(self.command):
            raise ValueError("transport stdio goes with command, streamable-http and sse go with url")
        if barred := sorted(name for name in self.env if name.upper() in _BEFORE_THE_PROGRAM):
            raise ValueError(
                f"env may not set {', '.join(barred)}: it would run code before the server; set it for the gateway itself"
            )
        return self

    @property
    def folder(self) -> str | None:
        return self.cwd or self.working_directory

    @property
    def way(self) -> Literal["stdio", "streamable-http", "sse"]:
        """How it is spoken to; an address without a word about it is Streamable HTTP."""
        return self.transport or ("stdio" if self.command else "streamable-http")

    def connect_s(self, default: float) -> float:
        return self.connection_timeout_ms / 1000 if self.connection_timeout_ms else self.connect_timeout or default

    def request_s(self, default: float) -> float:
        return self.request_timeout_ms / 1000 if self.request_timeout_ms else self.timeout or default


class Mcp(OpenSection):
    """`sessionIdleTtlMs` is how long an unused server is kept running; 0 is for ever."""

    servers: dict[str, McpServer] = Field(default_factory=dict)
    session_idle_ttl_ms: NotNegative = 600_000
