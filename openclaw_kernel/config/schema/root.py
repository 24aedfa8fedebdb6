"""The whole config file."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from openclaw_kernel.config.schema.agents import Agents
from openclaw_kernel.config.schema.approvals import Approvals
from openclaw_kernel.config.schema.attachments import Attachments
from openclaw_kernel.config.schema.auth import Auth
from openclaw_kernel.config.schema.base import Loose, Section
from openclaw_kernel.config.schema.browser import Browser
from openclaw_kernel.config.schema.cron import Cron, Hooks
from openclaw_kernel.config.schema.gateway import Gateway
from openclaw_kernel.config.schema.logging import Logging
from openclaw_kernel.config.schema.mcp import Mcp
from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.config.schema.messages import Messages
from openclaw_kernel.config.schema.models import Models
from openclaw_kernel.config.schema.plugins import Plugins
from openclaw_kernel.config.schema.secrets import SecretsSection
from openclaw_kernel.config.schema.session import Session
from openclaw_kernel.config.schema.small import Budget, Env, Jupyter, Skills, Ui
from openclaw_kernel.config.schema.tools import Tools


class OpenClawConfig(Section):
    """`openclaw.json`. An empty one is valid and safe. Sections of plain `Loose` are defined by later parts (CFG-02)."""

    schema_url: str | None = Field(default=None, alias="$schema")
    gateway: Gateway = Field(default_factory=Gateway)
    agents: Agents = Field(default_factory=Agents)
    models: Models = Field(default_factory=Models)
    auth: Auth = Field(default_factory=Auth)
    session: Session = Field(default_factory=Session)
    tools: Tools = Field(default_factory=Tools)
    approvals: Approvals = Field(default_factory=Approvals)
    logging: Logging = Field(default_factory=Logging)
    env: Env = Field(default_factory=Env)
    secrets: SecretsSection = Field(default_factory=SecretsSection)
    ui: Ui = Field(default_factory=Ui)
    budget: Budget = Field(default_factory=Budget)
    jupyter: Jupyter = Field(default_factory=Jupyter)
    memory: Memory = Field(default_factory=Memory)
    skills: Skills = Field(default_factory=Skills)
    plugins: Plugins = Field(default_factory=Plugins)
    cron: Cron = Field(default_factory=Cron)
    hooks: Hooks = Field(default_factory=Hooks)
    channels: dict[str, Loose] = Field(default_factory=dict)
    bindings: list[Loose] = Field(default_factory=list)
    messages: Messages = Field(default_factory=Messages)
    browser: Browser = Field(default_factory=Browser)
    mcp: Mcp = Field(default_factory=Mcp)

    meta: Loose = Field(default_factory=dict)
    wizard: Loose = Field(default_factory=dict)
    identity: Loose = Field(default_factory=dict)
    broadcast: Loose = Field(default_factory=dict)
    commands: Loose = Field(default_factory=dict)
    access_groups: Loose = Field(default_factory=dict)
    acp: Loose = Field(default_factory=dict)
    security: Loose = Field(default_factory=dict)
    discovery: Loose = Field(default_factory=dict)
    canvas: Loose = Field(default_factory=dict)
    surfaces: Loose = Field(default_factory=dict)
    node_host: Loose = Field(default_factory=dict)
    talk: Loose = Field(default_factory=dict)
    tts: Loose = Field(default_factory=dict)
    transcripts: Loose = Field(default_factory=dict)
    attachments: Attachments = Field(default_factory=Attachments)
    diagnostics: Loose = Field(default_factory=dict)
    telemetry: Loose = Field(default_factory=dict)
    audit: Loose = Field(default_factory=dict)
    update: Loose = Field(default_factory=dict)
    proxy: Loose = Field(default_factory=dict)
    worktree_root: str | None = None
    cloud_workers: Loose = Field(default_factory=dict)
    desktop: Loose = Field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """The config with every default, in OpenClaw's own keys. Holds secrets: redact before it leaves the process."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
