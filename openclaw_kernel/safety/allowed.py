"""What somebody has allowed for good: entries of an allowlist, and grants that hold for one scheduled job (SAF-11, SAF-13)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from openclaw_kernel.store.jsonl import read_jsonl

_JOB = re.compile(r"^agent:[^:]+:cron:([^:]+)")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Allowed:
    """One allowlist entry of an agent. `cwd` empty means any directory; else it holds only there (SAF-11).

    `job` is the id of the scheduled job it holds for, empty for every turn; `expires_at` is in milliseconds, 0 for never.
    """

    agent_id: str
    pattern: str
    cwd: str = ""
    created_at: int = 0
    source: str = ""
    job: str = ""
    expires_at: int = 0

    @property
    def key(self) -> str:
        return f"{self.agent_id}\n{self.cwd}\n{self.pattern}" + (f"\n{self.job}" if self.job else "")

    def holds(self, agent_id: str, cwd: str | None, job: str, now: int) -> bool:
        """Whether it covers a turn of this agent; `cwd` is `None` for any directory."""
        here = cwd is None or self.cwd in ("", cwd)
        return self.agent_id == agent_id and here and self.job in ("", job) and not self.over(now)

    def over(self, now: int) -> bool:
        return 0 < self.expires_at <= now


def job_of(session_key: str) -> str:
    """The id of the scheduled job whose run a session is, `""` for any other session."""
    found = _JOB.match(session_key)
    return found[1] if found else ""


def read_allowed(path: Path) -> list[Allowed]:
    """The allowlist as it is on disk, for whoever does not own it. Blocking; a row that cannot be read is left out."""
    rows: dict[str, Allowed] = {}
    for record in read_jsonl(path):
        if "__deleted" in record:
            rows.pop(str(record["__deleted"]), None)
            continue
        try:
            row = Allowed(**record)
        except TypeError as error:
            log.warning("%s: a row was passed over: %s", path, error)
            continue
        rows[row.key] = row
    return list(rows.values())


def patterns_for(rows: Iterable[Allowed], agent_id: str, cwd: str | None, job: str, now: int) -> tuple[str, ...]:
    """Patterns an agent may run unasked, in the directory `cwd` if that is given, in a run of `job` if it is one."""
    return tuple(row.pattern for row in rows if row.holds(agent_id, cwd, job, now))
