"""The environment a child process gets: no secrets, nothing that makes a shell run code first (SAF-16)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from openclaw_kernel.safety.redact import Redactor

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:API_?KEYS?|KEY|TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|PWD_HASH|CREDENTIALS?|COOKIE|PAT|DSN|"
    r"AUTHORIZATION|AUTH|BEARER)(?:_|$)|APIKEY|(?:^|_)PASS$|_URI$|^DATABASE_URL$|^PG(?:PASSFILE|SERVICEFILE)$",
    re.IGNORECASE,
)
_NOT_SECRET = frozenset(("SSH_AUTH_SOCK", "XAUTHORITY", "GPG_TTY"))
_STARTUP = re.compile(
    r"^(?:BASH_ENV|ENV|BASH_FUNC_.*|SHELLOPTS|BASHOPTS|PROMPT_COMMAND|PS4|IFS|CDPATH|GLOBIGNORE|PYTHONSTARTUP|PERL5OPT|RUBYOPT|"
    r"NODE_OPTIONS|JPY_.*|OPENCLAW_.*)$"
)
_FIXED = {"PAGER": "cat", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0", "TERM": "dumb"}
"""Nobody sits at the child's terminal: nothing may page or prompt."""


def child_env(env: Mapping[str, str], redactor: Redactor | None = None) -> dict[str, str]:
    """`env` without variables that hold secrets by name or by value, and without shell start-up hooks.

    `redactor` knows the secret values of this process; a variable that contains one is dropped whole.
    """
    redactor = redactor or Redactor()
    kept = {
        name: value
        for name, value in env.items()
        if (name in _NOT_SECRET or not _SECRET_NAME.search(name)) and not _STARTUP.match(name) and redactor.text(value) == value
    }
    kept.setdefault("PATH", os.defpath)
    return kept | _FIXED


def with_path(env: Mapping[str, str], first: Sequence[str]) -> dict[str, str]:
    """`env` with folders looked into before all others (`tools.exec.pathPrepend`). What is no absolute folder is left out: a
    program must not change with the folder a command runs in."""
    folders = [str(path) for path in (Path(name).expanduser() for name in first) if path.is_absolute()]
    return {**env, "PATH": os.pathsep.join((*folders, env.get("PATH", os.defpath)))}
