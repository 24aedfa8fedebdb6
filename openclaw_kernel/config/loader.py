"""From the file to a checked config: read, include, substitute, validate; every problem at once (CFG-01 to CFG-07)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from openclaw_kernel.config.dotenv import environment
from openclaw_kernel.config.include import MAX_BYTES, Reading
from openclaw_kernel.config.problems import ConfigError, Problem, describe
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.substitute import substitute
from openclaw_kernel.store.paths import expand

__all__ = ["ConfigError", "LoadedConfig", "Problem", "load_config", "read_config"]


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """One valid config and the bytes it came from.

    `raw` is the main file as it stands, `parsed` that file with its includes but before `${ENV}`; `hash` is the SHA-256 of
    `raw` and of every included file. `files` are all files read, `env` is the environment that filled in the names.
    """

    config: OpenClawConfig
    path: Path
    exists: bool
    raw: str
    parsed: dict[str, Any] = field(repr=False)
    hash: str
    warnings: list[str]
    files: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


def load_config(path: Path, env: Mapping[str, str]) -> LoadedConfig:
    """Read and check `path`; a missing file is the default config. Blocks on the disk. Raises `ConfigError`."""
    try:
        if path.exists() and path.stat().st_size > MAX_BYTES:
            raise ConfigError(path, [Problem("", f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB", str(path))])
        raw, exists = path.read_text("utf-8"), True
    except FileNotFoundError:
        raw, exists = "", False
    except UnicodeDecodeError as error:
        raise ConfigError(path, [Problem("", "the file is not UTF-8 text; save it as UTF-8", str(path))]) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"the file cannot be read: {reason}; correct its permissions or set OPENCLAW_CONFIG_PATH"
        raise ConfigError(path, [Problem("", message, str(path))]) from error
    return read_config(path, raw, env, exists=exists)


def read_config(path: Path, raw: str, env: Mapping[str, str], *, exists: bool = True) -> LoadedConfig:
    """Check `raw` as if it were the content of `path`. Raises `ConfigError` with all problems."""
    reading = Reading(_roots(path, env))
    parsed = reading.read(raw, path) if exists else {}
    if not isinstance(parsed, dict):
        reading.problem((), "the file must hold an object in braces")
        parsed = {}
    full_env = environment(env, path, parsed)
    value = substitute(parsed, full_env, lambda at, name: reading.warnings.append(_missing(reading, at, name)))
    config = _validated(value, reading)
    if reading.problems or config is None:
        raise ConfigError(path, sorted(reading.problems, key=lambda problem: (problem.file != str(path), problem.line)))
    return LoadedConfig(
        config, path, exists, raw, parsed, _digest(raw, reading.files), reading.warnings, tuple(reading.files), full_env
    )


def _validated(value: dict[str, Any], reading: Reading) -> OpenClawConfig | None:
    try:
        config = OpenClawConfig.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as error:
        for path, message in describe(error, value, OpenClawConfig):
            reading.problem(path, message)
        return None
    seen: set[str] = set()
    for number, agent in enumerate(config.agents.list):
        if agent.id in seen:
            reading.problem(("agents", "list", number, "id"), f'the agent "{agent.id}" is listed twice')
        seen.add(agent.id)
    return config


def _roots(path: Path, env: Mapping[str, str]) -> list[Path]:
    listed = [expand(part, env) for part in env.get("OPENCLAW_INCLUDE_ROOTS", "").split(os.pathsep) if part.strip()]
    return [Path(os.path.realpath(root)) for root in (Path(os.path.realpath(path)).parent, *listed)]


def _missing(reading: Reading, at: tuple[str | int, ...], name: str) -> str:
    file, line = reading.origin(at)
    path = ".".join(map(str, at))
    return f"{file}:{line}: {path}: the environment variable {name} is not set; the text ${{{name}}} stays as it is."


def _digest(raw: str, files: list[Path]) -> str:
    digest = hashlib.sha256(raw.encode())
    for file in files[1:]:
        digest.update(b"\0")
        digest.update(file.read_bytes())
    return digest.hexdigest()
