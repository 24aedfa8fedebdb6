"""How kernels, the CLI and a second server find the running gateway (STO-06)."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import orjson

from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.process import is_alive, start_identity

RUNTIME_NAME = "gateway.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuntimeInfo:
    """Where the gateway listens and what opens it. `started_at` is milliseconds since the epoch; `start` tells a reused PID."""

    url: str
    token: str = field(repr=False)
    pid: int
    started_at: int
    version: str
    start: str = ""


def write_runtime(state_dir: Path, info: RuntimeInfo) -> None:
    """Publish `info`, mode 0600. Raises `StoreError`."""
    if not info.start:
        info = replace(info, start=start_identity(info.pid))
    write_atomic(state_dir / RUNTIME_NAME, orjson.dumps(asdict(info)))


def read_runtime(state_dir: Path) -> RuntimeInfo | None:
    """The running gateway, or None when there is no file, it cannot be understood, or its process is gone."""
    path = state_dir / RUNTIME_NAME
    try:
        record = orjson.loads(path.read_bytes())
        known = {name.name for name in fields(RuntimeInfo)}
        info = RuntimeInfo(**{key: value for key, value in record.items() if key in known})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError.from_os("read", path, error) from error
    except (orjson.JSONDecodeError, AttributeError, TypeError) as error:
        _log.warning("%s is not a runtime file and was passed over: %s", path, error)
        return None
    return info if is_alive(info.pid, info.start) else None


def remove_runtime(state_dir: Path) -> None:
    """Withdraw the file if it is ours; a newer gateway's stays."""
    path = state_dir / RUNTIME_NAME
    try:
        if orjson.loads(path.read_bytes()).get("pid") == os.getpid():
            path.unlink()
    except FileNotFoundError:
        return
    except (OSError, orjson.JSONDecodeError, AttributeError) as error:
        _log.warning("%s was not removed: %s", path, error)
