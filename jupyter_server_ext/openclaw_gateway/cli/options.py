"""Options that many commands share. Imports no client, so that `serve` does not load one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from openclaw_kernel.store.paths import state_dir as default_state_dir

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def state_dir_option(function: F) -> F:
    return click.option(
        "--state-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=lambda: default_state_dir(os.environ),
        show_default="$OPENCLAW_STATE_DIR or ~/.openclaw",
        help="Directory with the assistant's state.",
    )(function)
