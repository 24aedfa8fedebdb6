"""The log file of a gateway: whose lines go there, and at what level."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from openclaw_gateway.methods.log_file import LogFile
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.safety.redact import Redactor

LOGGERS = ("openclaw_gateway", "openclaw_kernel", "tornado", "asyncio")
"""Whose lines go to the log file: ours, and those of the event loop and the HTTP server under us."""


def open_redactor(config: ConfigStore, known: Callable[[], Iterable[str]]) -> Redactor:
    """Hides what is known to be secret, and what `logging` says, as it stands now."""
    return Redactor(
        known,
        lambda: config.current.config.logging.redact_patterns,
        lambda: config.current.config.logging.redact_sensitive != "off",
    )


def start_log(stack: AsyncExitStack, state_dir: Path, settings: OpenClawConfig, redactor: Redactor) -> Path:
    configured = settings.logging.file
    path = Path(configured).expanduser() if configured else state_dir / "logs" / "gateway.jsonl"
    handler = LogFile(path, redactor.text, settings.logging.max_file_bytes)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    level = {"trace": "DEBUG", "fatal": "CRITICAL", "silent": "CRITICAL", "warn": "WARNING"}.get(
        settings.logging.level, settings.logging.level.upper()
    )
    for logger in loggers:
        logger.addHandler(handler)
        if logger.name.startswith("openclaw_"):  # the level of the others is their owner's, Jupyter's perhaps
            logger.setLevel(level)
        stack.callback(logger.removeHandler, handler)
    stack.callback(handler.close)
    return path
