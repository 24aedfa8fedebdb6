"""The shape of `openclaw.json`, one file a section."""

from openclaw_kernel.config.schema.base import SecretInput, SecretRef
from openclaw_kernel.config.schema.root import OpenClawConfig

__all__ = ["OpenClawConfig", "SecretInput", "SecretRef"]
