"""Text made to stop its reader: the time to look at it grows with its length, whatever stands in it (SAF-24, SAF-26)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from openclaw_kernel.agent.carried import identifiers, open_requests
from openclaw_kernel.memory.chunking import cut
from openclaw_kernel.safety.programs import danger
from openclaw_kernel.safety.redact import PLACEHOLDER, Redactor
from openclaw_kernel.tools.readable import read_page
from openclaw_kernel.values.envelope import fence

CHARS = 200_000
LIMIT_S = 2.0
"""Of processor time; the slowest takes a tenth of it, and time that grows with the square takes hours."""
UNITS = (
    *("a-", "a.", "a_", "A1", "x", "=", "a+", "1:", "12345678:", "a:b@", "://", "https://a:", "a.b."),
    *("eyJ", "eyJ-", "eyJ.", "eyJa-", "sk-", "ghp_", "AKIA", "secret", "secret_", "secret ", "api_key_", "_key=", "token="),
    *(
        "Bearer ",
        "-----BEGIN ",
        '"password":',
        "<|",
        "<<",
        "[INST",
        "<system",
        "/a",
        "a/",
        "a/b.",
        "#1",
        "- [ ] ",
        "a@b.",
        "`a",
    ),
)
READERS: dict[str, Callable[[str], object]] = {
    "redact": Redactor().text,
    "fence": lambda text: fence("page", text),
    "identifiers": identifiers,
    "requests": open_requests,
    "notes": lambda text: list(cut(f"# {text}x".encode(), 400, 0)),
    "danger": lambda text: danger((), text),
    "page": lambda text: read_page(text, "https://x.test/"),
    "closed page": lambda text: read_page(f"{text}'>-->", "https://x.test/"),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_text_keeps_its_reader_busy(reader: str) -> None:
    slow = {}
    for unit in UNITS:
        text = unit * (CHARS // len(unit))
        before = time.process_time()
        READERS[reader](text)
        took = time.process_time() - before
        if took > LIMIT_S:
            slow[unit] = took
    assert not slow


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("my-app.client_secret = abcdef123", "abcdef123"),
        ('{"dbPassword": "hunter22"}', "hunter22"),
        ("export X_API_KEY_OLD=abcdefgh", "abcdefgh"),
        ("postgresql+psycopg2://me:pass word@x".replace(" ", ""), "password"),
        ("eyJ" + "a" * 400 + ".eyJ" + "b" * 3000 + "." + "c" * 40, "c" * 40),
    ],
)
def test_what_is_secret_is_hidden_all_the_same(text: str, secret: str) -> None:
    hidden = Redactor().text(text)
    assert secret not in hidden and PLACEHOLDER in hidden
