"""Ends child processes when the gateway itself is ended without a word, as by `kill -9` (SAF-28).

One small shell outlives the gateway: it reads which process groups live and, when the pipe closes, kills what is still on its
list. It is started with the first process to watch, and ends with the gateway.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess

_SCRIPT = """\
exec 3<&0
{
trap '' HUP INT TERM
live=
while read -r what group; do
  case $what in
    +) live="$live $group" ;;
    -) kept=; for one in $live; do [ "$one" = "$group" ] || kept="$kept $one"; done; live=$kept ;;
  esac
done
for group in $live; do kill -9 "-$group"; done
} <&3 3<&- >/dev/null 2>&1 &
"""
START_S = 5.0

log = logging.getLogger(__name__)


class Guardian:
    """Watches process groups by the number of their leader. Never raises: without a guardian only this guard is missing."""

    def __init__(self) -> None:
        self._pipe = -1

    def watch(self, group: int) -> None:
        self._tell(f"+ {group}\n")

    def forget(self, group: int) -> None:
        """It is over, and its number may be another's soon."""
        if self._pipe >= 0:
            self._tell(f"- {group}\n")

    def close(self) -> None:
        """Ends the guardian, and with it what it watches."""
        if self._pipe >= 0:
            os.close(self._pipe)
        self._pipe = -1

    def _tell(self, line: str) -> None:
        try:
            if self._pipe < 0:
                self._start()
            os.write(self._pipe, line.encode())
        except BlockingIOError:
            log.warning("the guardian of processes on this machine does not read; one was not told to it")
        except (OSError, subprocess.SubprocessError) as error:
            log.warning("processes on this machine would outlive a killed gateway: %s", error)
            self.close()

    def _start(self) -> None:
        """The shell goes into the background at once, so there is nothing to wait for later."""
        theirs, ours = os.pipe()
        try:
            subprocess.run(
                ("/bin/sh", "-c", _SCRIPT),
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.defpath},
                start_new_session=True,
                timeout=START_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            with contextlib.suppress(OSError):
                os.close(ours)
            raise
        finally:
            os.close(theirs)
        os.set_blocking(ours, False)
        self._pipe = ours


guardian = Guardian()
"""The one of this process."""
