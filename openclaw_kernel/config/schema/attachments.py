"""`attachments`: what becomes of files that came and went with messages."""

from __future__ import annotations

from openclaw_kernel.config.schema.base import OpenSection, Positive


class Attachments(OpenSection):
    """Files of channels are removed after so many days (TOL-21). Other keys are kept as they are."""

    retention_days: Positive = 7
