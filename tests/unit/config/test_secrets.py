from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.config.schema import OpenClawConfig, SecretRef
from openclaw_kernel.config.secrets import SecretError, Secrets


def secrets(providers: dict[str, Any], env: dict[str, str] | None = None, **config: Any) -> Secrets:
    return Secrets(OpenClawConfig.model_validate({"secrets": {"providers": providers}, **config}), env or {})


def ref(source: Any, id: str, provider: str = "p") -> SecretRef:
    return SecretRef(source=source, provider=provider, id=id)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    def write(body: str) -> Path:
        path = tmp_path / "vault"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o700)
        return path

    return write


def test_plain_text_none_and_what_is_known() -> None:
    vault = secrets({})
    assert vault.resolve(None, "x") == ""
    assert vault.resolve("a-long-value", "x") == "a-long-value"
    assert vault.resolve("short", "x") == "short"
    assert vault.known() == {"a-long-value"}
    assert "a-long-value" not in repr(vault)
    with pytest.raises(SecretError, match=r"models\.p\.apiKey cannot be resolved: the environment variable KEY is not set"):
        vault.resolve("${KEY}", "models.p.apiKey")


def test_environment() -> None:
    env = {"KEY": "value-1", "OTHER": "value-2"}
    assert secrets({}, env).resolve(ref("env", "KEY", "default"), "x") == "value-1"
    limited = secrets({"p": {"source": "env", "allowlist": ["KEY"]}}, env)
    assert limited.resolve(ref("env", "KEY"), "x") == "value-1"
    for id, reason in (("OTHER", "allowlist"), ("lower", "not a variable name"), ("A" * 129, "not a variable name")):
        with pytest.raises(SecretError, match=reason):
            limited.resolve(ref("env", id), "x")
    with pytest.raises(SecretError, match='has source "env", not "file"'):
        limited.resolve(ref("file", "/a"), "x")
    with pytest.raises(SecretError, match=r"no secrets\.providers\.q"):
        limited.resolve(ref("env", "KEY", "q"), "x")


def test_file_by_pointer_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"a": {"b/c": ["first-secret"]}, "n": 1}))
    path.chmod(0o600)
    vault = secrets({"p": {"source": "file", "path": str(path)}})
    assert vault.resolve(ref("file", "/a/b~1c/0"), "x") == "first-secret"
    for id, reason in (("/a/none", "finds nothing"), ("a", "must begin with /"), ("/n", "not a text")):
        with pytest.raises(SecretError, match=reason):
            vault.resolve(ref("file", id), "x")
    path.unlink()
    assert vault.resolve(ref("file", "/a/b~1c/0"), "x") == "first-secret"


def test_file_of_one_value_and_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("only-value\n")
    path.chmod(0o644)
    vault = secrets({"p": {"source": "file", "path": str(path), "mode": "singleValue", "maxBytes": 20}})
    with pytest.raises(SecretError, match="can be read by other users; run chmod 600"):
        vault.resolve(ref("file", "value"), "x")
    path.chmod(0o600)
    with pytest.raises(SecretError, match='has the id "value"'):
        vault.resolve(ref("file", "other"), "x")
    assert vault.resolve(ref("file", "value"), "x") == "only-value"
    path.write_text("x" * 21)
    with pytest.raises(SecretError, match="larger than 20 bytes"):
        secrets({"p": {"source": "file", "path": str(path), "mode": "singleValue", "maxBytes": 20}}).resolve(
            ref("file", "value"), "x"
        )
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    with pytest.raises(SecretError, match="not a regular file"):
        secrets({"p": {"source": "file", "path": str(fifo)}}).resolve(ref("file", "/a"), "x")


def test_program_gets_the_question_and_only_granted_variables(program: Callable[[str], Path]) -> None:
    path = program(
        'read q\nprintf \'{"protocolVersion":1,"values":{"db/main":"%s-%s-%s"}}\' '
        '"${GRANTED:-no}" "${HIDDEN:-no}" "$(printf %s "$q" | tr -dc a-z/)"'
    )
    vault = secrets(
        {"p": {"source": "exec", "command": str(path), "passEnv": ["GRANTED"]}}, {"GRANTED": "yes", "HIDDEN": "leak"}
    )
    with pytest.raises(SecretError):
        vault.resolve(ref("exec", "$(id)"), "x")
    value = vault.resolve(ref("exec", "db/main"), "x")
    assert value.startswith("yes-no-")
    assert "idsdb/main" in value


def test_program_failures(program: Callable[[str], Path], tmp_path: Path) -> None:
    path = program("cat >/dev/null; echo secret-in-output; exit 3")
    with pytest.raises(SecretError, match="ended with exit code 3") as caught:
        secrets({"p": {"source": "exec", "command": str(path)}}).resolve(ref("exec", "a"), "x")
    assert "secret-in-output" not in str(caught.value)
    program("cat >/dev/null; echo plain-value")
    plain = {"source": "exec", "command": str(path), "jsonOnly": False}
    assert secrets({"p": plain}).resolve(ref("exec", "a"), "x") == "plain-value"
    with pytest.raises(SecretError, match="gave no value for a"):
        secrets({"p": {"source": "exec", "command": str(path)}}).resolve(ref("exec", "a"), "x")
    with pytest.raises(SecretError, match="outside trustedDirs"):
        secrets({"p": plain | {"trustedDirs": ["/usr/bin"]}}).resolve(ref("exec", "a"), "x")
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(SecretError, match="symbolic link"):
        secrets({"p": plain | {"command": str(link)}}).resolve(ref("exec", "a"), "x")
    with pytest.raises(SecretError, match="absolute path"):
        secrets({"p": plain | {"command": "vault"}}).resolve(ref("exec", "a"), "x")
    path.chmod(0o722)
    with pytest.raises(SecretError, match="changed by other users"):
        secrets({"p": plain}).resolve(ref("exec", "a"), "x")
    program("exec sleep 30")
    with pytest.raises(SecretError, match=r"did not answer within 0\.05 s"):
        secrets({"p": plain | {"timeoutMs": 50}}).resolve(ref("exec", "a"), "x")


def test_preload_isolates_the_owner_that_fails() -> None:
    one = {"source": "env", "id": "ONE"}
    vault = secrets(
        {},
        {"ONE": "value-one"},
        models={"providers": {"a": {"apiKey": one}, "b": {"apiKey": {"source": "env", "id": "TWO"}}}},
    )
    failures = vault.preload()
    assert list(failures) == ["models.providers.b.apiKey"]
    assert vault.known() == {"value-one"}


def test_renew_swaps_the_whole_snapshot_and_remembers_the_old_values(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for path, text in ((first, "value-before"), (second, "value-after")):
        path.write_text(text)
        path.chmod(0o600)
    vault = secrets({"p": {"source": "file", "path": str(first), "mode": "singleValue"}})
    assert vault.resolve(ref("file", "value"), "x") == "value-before"
    config = {
        "secrets": {"providers": {"p": {"source": "file", "path": str(second), "mode": "singleValue"}}},
        "channels": {"telegram": {"botToken": {"source": "file", "provider": "p", "id": "value"}}},
    }
    assert vault.renew(OpenClawConfig.model_validate(config)) == {}
    second.unlink()  # it was read before anybody asked
    assert vault.resolve(ref("file", "value"), "x") == "value-after"
    assert vault.known() == {"value-before", "value-after"}
