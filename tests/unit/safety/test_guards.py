"""The path guard, redaction and the environment of child processes (SAF-16, SAF-26, SAF-29)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_kernel.safety.environment import child_env, with_path
from openclaw_kernel.safety.paths import ToolPathError, inside, regular_file, shown_path
from openclaw_kernel.safety.redact import PLACEHOLDER, Redactor


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "work"
    (folder / "sub").mkdir(parents=True)
    (folder / "out").symlink_to(tmp_path)
    (folder / "leak").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "again").symlink_to(folder / "sub")
    (tmp_path / "work-twin").mkdir()
    return folder


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../secret",
        "sub/../../secret",
        "/etc/passwd",
        "out/secret",
        "leak",
        "out/new",
        "~/x",
        "../work-twin/x",
        "again/../../secret",
        "",
        " ",
        "a\x00b",
        "a\nb",
    ],
)
def test_no_path_leads_out(workspace: Path, path: str) -> None:
    with pytest.raises(ToolPathError) as caught:
        inside(workspace, path)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("path", "shown"), [(".", "."), ("a.txt", "a.txt"), ("sub/../b", "b"), ("again/c", "sub/c"), ("новый", "новый")]
)
def test_what_stays_inside(workspace: Path, path: str, shown: str) -> None:
    assert shown_path(workspace, inside(workspace, path)) == shown


def test_an_absolute_path_inside_is_fine(workspace: Path) -> None:
    assert inside(workspace, str(workspace / "a")) == workspace.resolve() / "a"


def test_only_regular_files(workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    for name, word in (("pipe", "not a regular file"), ("sub", "is a folder"), ("none", "does not exist")):
        with pytest.raises(ToolPathError, match=word):
            regular_file(workspace / name, name)


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-api03-" + "a" * 20,
        "sk-proj-abcdefghijklmnopqrst",
        "ghp_" + "a1" * 18,
        "github_pat_" + "a" * 30,
        "xoxb-" + "1" * 12,
        "AKIA" + "A" * 16,
        "AIza" + "b" * 35,
        "hf_" + "c" * 30,
        "123456789:" + "A" * 35,
        "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF",
        "glpat-" + "d" * 20,
    ],
)
def test_key_shapes_are_hidden(secret: str) -> None:
    shown = Redactor().text(f"key is {secret}, see")
    assert secret not in shown
    assert PLACEHOLDER in shown
    assert shown.startswith("key is ")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer "),
        ("https://ada:pa55word@host/x", "@host/x"),
        ("OPENAI_API_KEY=abcdef123456", "OPENAI_API_KEY="),
        ('"password": "hunter2!"', '"password": "'),
    ],
)
def test_secrets_in_context_are_hidden(text: str, kept: str) -> None:
    shown = Redactor().text(text)
    assert kept in shown
    assert not any(word in shown for word in ("abcdefghijklmnop", "pa55word", "abcdef123456", "hunter2!"))


def test_a_private_key_is_hidden_even_when_cut() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n"
    assert "MIIabc" not in Redactor().text(key)
    assert "MIIabc" not in Redactor().text(key + "-----END RSA PRIVATE KEY-----")


def test_known_values_are_hidden_as_soon_as_they_are_known() -> None:
    known: list[str] = []
    redactor = Redactor(lambda: known)
    assert redactor.text("the swordfish.*") == "the swordfish.*"
    known += ["swordfish", "swordfish.*", "abc"]
    assert redactor.text("the swordfish.*, abc") == f"the {PLACEHOLDER}, abc"
    assert redactor.value({"a": ["swordfish", 1, None]}) == {"a": [PLACEHOLDER, 1, None]}


@pytest.mark.parametrize(
    "text", ["the task-force met", "token count: 12", "${OPENAI_API_KEY}", "api_key=${OPENAI_API_KEY}", "a bearer of news"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_a_child_gets_no_secret_and_no_hook() -> None:
    env = {
        "PATH": "/usr/bin",
        "HOME": "/home/a",
        "LANG": "C",
        "SSH_AUTH_SOCK": "/run/a",
        "KEYBOARD": "us",
        "TOKENIZERS_PARALLELISM": "0",
        "OPENAI_API_KEY": "x",
        "GITHUB_TOKEN": "x",
        "MY_SECRET": "x",
        "DB_PASSWORD": "x",
        "AWS_ACCESS_KEY_ID": "x",
        "JUPYTER_TOKEN": "x",
        "OPENCLAW_STATE_DIR": "/s",
        "BASH_ENV": "/x",
        "BASH_FUNC_ls%%": "() { id; }",
        "PYTHONSTARTUP": "/x",
        "IFS": "x",
        "HARMLESS": "sk-abcdefghijklmnopqrstuvwx",
        "CUSTOM": "pre-swordfish-post",
    }
    kept = child_env(env, Redactor(lambda: ["swordfish"]))
    assert set(kept) - {"PAGER", "GIT_PAGER", "GIT_TERMINAL_PROMPT", "TERM"} == {
        "PATH",
        "HOME",
        "LANG",
        "SSH_AUTH_SOCK",
        "KEYBOARD",
        "TOKENIZERS_PARALLELISM",
    }
    assert child_env({})["PATH"]


def test_folders_that_the_owner_puts_first_on_the_path() -> None:
    env = with_path({"PATH": "/usr/bin", "A": "1"}, ["/opt/tools", "bin", "./x", "~/mine"])
    assert env["PATH"].split(":") == ["/opt/tools", str(Path("~/mine").expanduser()), "/usr/bin"] and env["A"] == "1"
    assert with_path({"PATH": "/usr/bin"}, [])["PATH"] == "/usr/bin"
