"""The YAML header of a skill: split from the text below it, and read leniently (SKL-02)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from openclaw_kernel.skills.skill import MAX_NAME, SkillProblem

_WORD = re.compile(r"[^\W_]+")
_HEADER = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(?P<yaml>.*?)\r?\n?---[ \t]*(?:\r?\n|\Z)(?P<body>.*)\Z", re.DOTALL)
_COLON = re.compile(r"^(?P<key>[A-Za-z][\w-]*): (?P<value>(?![\"'\[{|>]).*:.*)$", re.MULTILINE)


def split_header(text: str) -> tuple[str, str] | None:
    """The YAML between two lines of `---`, and what stands below; `None` when the text does not begin with a header."""
    found = _HEADER.match(text)
    return (found["yaml"], found["body"].strip()) if found else None


def parse_header(text: str, where: str, *, strict: bool = False) -> dict[str, Any]:
    """The header as a mapping; a colon in an unquoted value is forgiven. Raises `SkillProblem`.

    `strict` forgives nothing, and takes every plain value as text, as the Agent Skills specification does.
    """
    import yaml  # 25 ms, and a gateway starts without reading a skill

    quoted = _COLON.sub(lambda found: f"{found['key']}: " + _quote(found["value"]), text)
    for attempt in (text,) if strict else (text, quoted):
        try:
            meta = yaml.load(attempt, Loader=yaml.BaseLoader if strict else yaml.SafeLoader)
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        if isinstance(meta, dict):
            return {str(key): value for key, value in meta.items()}
    raise SkillProblem(f"{where} has a header that is not YAML; check quotes and indentation")


def slug(name: str) -> str:
    """A name mended into lower-case words joined by hyphens, at most 64 characters; may be empty."""
    return "-".join(_WORD.findall(unicodedata.normalize("NFKC", name).lower()))[:MAX_NAME].strip("-")


def _quote(value: str) -> str:
    return "'" + value.strip().replace("'", "''") + "'"
