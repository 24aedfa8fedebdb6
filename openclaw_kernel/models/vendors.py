"""Providers by name: where each is, what it speaks, where its key is looked for (MOD-03). With just a key they are usable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openclaw_kernel.models.api import WireFormat


@dataclass(frozen=True, slots=True)
class Vendor:
    """A provider as data: where it is, which format it speaks, which environment variable holds its key.

    `key_env` is empty for a provider that needs no key. `idle_timeout_s`: 120 s for a cloud, 300 s self-hosted (MOD-20).
    """

    id: str
    api: WireFormat
    base_url: str
    key_env: str = ""
    idle_timeout_s: float = 120.0
    compat: Mapping[str, Any] = field(default_factory=dict)


LEGACY = {"maxTokensField": "max_tokens", "supportsStore": False, "supportsDeveloperRole": False}
"""What most OpenAI-compatible servers need: the older field and role names."""
LOCAL = {**LEGACY, "supportsReasoningEffort": False}

VENDORS: Mapping[str, Vendor] = {
    vendor.id: vendor
    for vendor in (
        Vendor("builtin", "offline", ""),
        Vendor("anthropic", "anthropic-messages", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
        Vendor(
            "amazon-bedrock",
            "anthropic-messages",
            "https://bedrock-mantle.us-east-1.api.aws/anthropic",
            "AWS_BEARER_TOKEN_BEDROCK",
            compat={"client": "bedrock"},
        ),
        Vendor("openai", "openai-responses", "https://api.openai.com/v1", "OPENAI_API_KEY"),
        Vendor(
            "google",
            "openai-completions",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "GEMINI_API_KEY",
            compat=LEGACY,
        ),
        Vendor("openrouter", "openai-completions", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", compat=LEGACY),
        Vendor("deepseek", "openai-completions", "https://api.deepseek.com", "DEEPSEEK_API_KEY", compat=LOCAL),
        Vendor("huggingface", "openai-completions", "https://router.huggingface.co/v1", "HF_TOKEN", compat=LEGACY),
        Vendor("groq", "openai-completions", "https://api.groq.com/openai/v1", "GROQ_API_KEY", compat=LEGACY),
        Vendor("mistral", "openai-completions", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", compat=LOCAL),
        Vendor("xai", "openai-completions", "https://api.x.ai/v1", "XAI_API_KEY", compat=LEGACY),
        Vendor("together", "openai-completions", "https://api.together.xyz/v1", "TOGETHER_API_KEY", compat=LEGACY),
        Vendor("fireworks", "openai-completions", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", compat=LEGACY),
        Vendor("moonshot", "openai-completions", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", compat=LOCAL),
        Vendor("cerebras", "openai-completions", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", compat=LEGACY),
        Vendor("nvidia", "openai-completions", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY", compat=LEGACY),
        Vendor("zai", "openai-completions", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", compat=LOCAL),
        Vendor(
            "qwen",
            "openai-completions",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "DASHSCOPE_API_KEY",
            compat=LOCAL,
        ),
        Vendor("minimax", "openai-completions", "https://api.minimax.io/v1", "MINIMAX_API_KEY", compat=LOCAL),
        Vendor("ollama", "openai-completions", "http://127.0.0.1:11434/v1", "", 300.0, LOCAL),
        Vendor("lmstudio", "openai-completions", "http://127.0.0.1:1234/v1", "", 300.0, LOCAL),
        Vendor("vllm", "openai-completions", "http://127.0.0.1:8000/v1", "", 300.0, LOCAL),
        Vendor("sglang", "openai-completions", "http://127.0.0.1:30000/v1", "", 300.0, LOCAL),
        Vendor("llamacpp", "openai-completions", "http://127.0.0.1:8080/v1", "", 300.0, LOCAL),
        Vendor("litellm", "openai-completions", "http://127.0.0.1:4000/v1", "LITELLM_API_KEY", 300.0, LEGACY),
    )
}
OTHER_NAMES: Mapping[str, str] = {
    "bedrock": "amazon-bedrock",
    "aws": "amazon-bedrock",
    "gemini": "google",
    "hf": "huggingface",
    "hugging-face": "huggingface",
    "grok": "xai",
    "x-ai": "xai",
    "lm-studio": "lmstudio",
    "kimi": "moonshot",
    "z.ai": "zai",
    "llama.cpp": "llamacpp",
}
"""What people also call a provider."""
