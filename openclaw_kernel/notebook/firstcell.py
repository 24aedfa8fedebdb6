"""Questions in the very cell that loads the extension.

IPython reads a whole cell before it runs any of it, so there `%claw why is it?` has become a look-up of `it` before we are
asked. Until that cell has ended, a look-up that a `%claw` line stands behind is answered as the question it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

_LINE = re.compile(r"^\s*%claw\s+(.*\?)\s*$", re.MULTILINE)
_LOOK_UPS = ("pinfo", "pinfo2")


def mind(shell: Any, ask: Callable[[str], Any]) -> None:
    """Calls `ask` for the questions of the cell that runs now; nothing outside of one."""
    typed = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None) or [""]
    waiting = _LINE.findall(str(typed[-1]))
    if not waiting:
        return
    magics = shell.magics_manager.magics["line"]
    usual = {name: magics[name] for name in _LOOK_UPS if name in magics}

    def look_up(name: str, word: str = "", *more: Any) -> Any:
        for line in waiting:
            if line.rstrip("?").rstrip().endswith(word):
                waiting.remove(line)
                return ask(line)
        return usual[name](word, *more)

    def over(*_: Any) -> None:
        magics.update(usual)
        shell.events.unregister("post_run_cell", over)

    magics.update({name: partial(look_up, name) for name in usual})
    shell.events.register("post_run_cell", over)
