"""Which adapter speaks which wire format (MOD-02). The vendors' SDKs load only when an adapter is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from openclaw_kernel.models.api import Provider, WireFormat
from openclaw_kernel.models.offline import Offline
from openclaw_kernel.values.clock import Clock

BUILDERS: Mapping[WireFormat, Callable[[Clock], Provider]] = {
    "offline": Offline,
}


def build_provider(api: WireFormat, clock: Clock) -> Provider:
    """The adapter of a format; the catalogue only lets known formats through."""
    return BUILDERS[api](clock)
