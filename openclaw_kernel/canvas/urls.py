"""Which addresses a surface may load or open. Ask of the resolved value (a2ui reference, section 6)."""

from __future__ import annotations

import re
from typing import Literal

Use = Literal["link", "image", "video", "audio"]

_ALLOWED: dict[Use, re.Pattern[str]] = {
    "link": re.compile(r"https?://[^\s\x00-\x1f]+", re.IGNORECASE),
    "image": re.compile(
        r"https://[^\s\x00-\x1f]+|blob:[^\s\x00-\x1f]+|data:image/(?:png|jpeg|gif|webp)[;,].*", re.IGNORECASE | re.S
    ),
    "video": re.compile(r"https://[^\s\x00-\x1f]+|data:video/[a-z0-9.+-]+[;,].*", re.IGNORECASE | re.S),
    "audio": re.compile(r"https://[^\s\x00-\x1f]+|data:audio/[a-z0-9.+-]+[;,].*", re.IGNORECASE | re.S),
}
ALLOWED_TEXT: dict[Use, str] = {
    "link": "http or https",
    "image": "https, blob or data:image/png, jpeg, gif, webp",
    "video": "https or data:video",
    "audio": "https or data:audio",
}


def allowed(url: str, use: Use) -> bool:
    """Whether `url` may be used so. Anything not on the list is refused, relative addresses too."""
    return _ALLOWED[use].fullmatch(url) is not None
