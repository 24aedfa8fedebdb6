"""Which adapter speaks which wire format (MOD-02). The vendors' SDKs load only when an adapter is first used."""

from __future__ import annotations

from typing import assert_never

from openclaw_kernel.models.anthropic_messages import AnthropicMessages
from openclaw_kernel.models.api import Provider, WireFormat
from openclaw_kernel.models.exchange import HttpProvider
from openclaw_kernel.models.offline import Offline
from openclaw_kernel.models.openai_completions import OpenAICompletions
from openclaw_kernel.models.openai_responses import OpenAIResponses
from openclaw_kernel.values.clock import Clock


def build_provider(api: WireFormat, clock: Clock) -> Provider:
    """A new adapter for a format."""
    match api:
        case "anthropic-messages":
            return HttpProvider(AnthropicMessages(), clock)
        case "openai-completions":
            return HttpProvider(OpenAICompletions(), clock)
        case "openai-responses":
            return HttpProvider(OpenAIResponses(), clock)
        case "offline":
            return Offline(clock)
        case _:
            assert_never(api)
