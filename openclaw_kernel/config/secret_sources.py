"""Fetching one secret from where its provider keeps it: environment, file, program (CFG-16).

Each function returns the value or raises `SourceError` with a reason that holds no part of any secret.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from openclaw_kernel.config.schema.secrets import EnvSecrets, ExecSecrets, FileSecrets
from openclaw_kernel.store.paths import expand

_ENV_ID = re.compile(r"[A-Z][A-Z0-9_]{0,127}")
_EXEC_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,255}")


class SourceError(Exception):
    """Why there is no value."""


def from_env(provider: EnvSecrets, id: str, env: Mapping[str, str]) -> str:
    """The variable `id`: upper case, at most 128 characters, on the provider's allowlist when there is one."""
    if not _ENV_ID.fullmatch(id):
        raise SourceError(f"{id!r} is not a variable name (A-Z, 0-9 and _, at most 128 characters)")
    if provider.allowlist is not None and id not in provider.allowlist:
        raise SourceError(f"the variable {id} is not on the provider's allowlist")
    value = env.get(id, "")
    if not value:
        raise SourceError(f"the environment variable {id} is not set")
    return value


def from_file(provider: FileSecrets, id: str, env: Mapping[str, str]) -> str:
    """The whole file (mode singleValue, id `value`) or what the JSON pointer `id` (RFC 6901) finds in it."""
    path = expand(provider.path, env)
    body = _read_private(path, provider.max_bytes)
    if provider.mode == "singleValue":
        if id != "value":
            raise SourceError(f'a file of one value has the id "value", not {id!r}')
        return body.decode("utf-8", "replace").rstrip("\r\n")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{path} is not valid JSON") from error
    return _text(_pointed(document, id), f"{id} in {path}")


def from_program(provider: ExecSecrets, name: str, id: str, env: Mapping[str, str]) -> str:
    """What the provider's program answers for `id`. It runs without a shell, with only the variables it was granted."""
    if not _EXEC_ID.fullmatch(id):
        raise SourceError(f"{id!r} is not an id that may be passed to a program")
    command = _trusted_command(provider, env)
    question = orjson.dumps({"protocolVersion": 1, "provider": name, "ids": [id]})
    output = _run([str(command), *provider.args], provider, question, env)
    if not provider.json_only:
        return output.decode("utf-8", "replace").rstrip("\r\n")
    try:
        answer = orjson.loads(output)
        value = answer["values"][id]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SourceError(f"{command.name} gave no value for {id}") from error
    return _text(value, f"{id} from {command.name}")


def _read_private(path: Path, limit: int) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {(error.strerror or '').lower()}") from error
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise SourceError(f"{path} is not a regular file")
        if facts.st_uid not in (os.geteuid(), 0):
            raise SourceError(f"{path} belongs to another user")
        if facts.st_mode & 0o077:
            raise SourceError(f"{path} can be read by other users; run chmod 600 on it")
        body = file.read(limit + 1)
    if len(body) > limit:
        raise SourceError(f"{path} is larger than {limit} bytes")
    return body


def _pointed(document: Any, pointer: str) -> Any:
    if not pointer.startswith("/"):
        raise SourceError(f"{pointer!r} is not a JSON pointer; it must begin with /")
    at = document
    for part in pointer[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(at, dict) and key in at:
            at = at[key]
        elif isinstance(at, list) and key.isdecimal() and int(key) < len(at):
            at = at[int(key)]
        else:
            raise SourceError(f"the JSON pointer {pointer} finds nothing")
    return at


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise SourceError(f"{where} is not a text")
    return value


def _trusted_command(provider: ExecSecrets, env: Mapping[str, str]) -> Path:
    """The program's real path: absolute, ours or root's, not writable by others, inside the trusted directories if listed."""
    path = expand(provider.command, env)
    if not os.path.isabs(os.path.expanduser(provider.command)):
        raise SourceError(f"the command {provider.command!r} must be an absolute path")
    if path.is_symlink() and not provider.allow_symlink_command:
        raise SourceError(f"{path} is a symbolic link; name the program itself or set allowSymlinkCommand")
    real = Path(os.path.realpath(path))
    if provider.trusted_dirs and not any(
        real.is_relative_to(os.path.realpath(expand(root, env))) for root in provider.trusted_dirs
    ):
        raise SourceError(f"{real} lies outside trustedDirs")
    try:
        facts = real.stat()
    except OSError as error:
        raise SourceError(f"{real} cannot be run: {(error.strerror or '').lower()}") from error
    if facts.st_uid not in (os.geteuid(), 0) or facts.st_mode & 0o022:
        raise SourceError(f"{real} can be changed by other users")
    return real


def _run(argv: list[str], provider: ExecSecrets, question: bytes, env: Mapping[str, str]) -> bytes:
    granted = {name: env[name] for name in provider.pass_env if name in env} | provider.env
    seconds = provider.timeout_ms / 1000
    try:
        done = subprocess.run(argv, input=question, capture_output=True, timeout=seconds, env=granted, check=False)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{argv[0]} did not answer within {seconds:g} s") from error
    except OSError as error:
        raise SourceError(f"{argv[0]} cannot be run: {(error.strerror or '').lower()}") from error
    if done.returncode != 0:
        raise SourceError(f"{argv[0]} ended with exit code {done.returncode}")
    if len(done.stdout) > provider.max_output_bytes:
        raise SourceError(f"{argv[0]} answered with more than {provider.max_output_bytes} bytes")
    return done.stdout
