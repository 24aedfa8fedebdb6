from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.config.loader import ConfigError, LoadedConfig, load_config
from openclaw_kernel.config.schema import OpenClawConfig


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "openclaw.json"


def load(path: Path, text: str | None = None, env: Mapping[str, str] | None = None) -> LoadedConfig:
    if text is not None:
        path.write_text(text)
    return load_config(path, {"HOME": str(path.parent), **(env or {})})


def problems(path: Path, text: str) -> list[tuple[str, int, str]]:
    with pytest.raises(ConfigError) as caught:
        load(path, text)
    return [(problem.path, problem.line, problem.message) for problem in caught.value.problems]


def test_a_missing_file_is_the_safe_default(path: Path) -> None:
    loaded = load(path)
    config = loaded.config
    assert (loaded.exists, loaded.raw, loaded.parsed) == (False, "", {})
    assert (config.gateway.port, config.gateway.bind, config.gateway.auth.mode) == (18789, "loopback", "token")
    assert (config.tools.exec.security, config.tools.exec.ask) == ("allowlist", "on-miss")
    assert config.gateway.http.endpoints.chat_completions.enabled is False
    assert config == OpenClawConfig()


def test_every_problem_at_once_with_path_line_and_nearest_key(path: Path) -> None:
    found = problems(
        path,
        """{
  gateway: { prot: 1, port: "x",
    bind: "loopbck" },
  agents: { list: [ { id: "a", mdel: 1 }, { id: 7 } ] },
  models: { providers: { p: { models: [ {} ] } } },
  nope: 1,
}""",
    )
    assert found == [
        ("gateway.port", 2, "must be a whole number, not a text"),
        ("gateway.prot", 2, '"prot" is not a known key; did you mean "port"?'),
        (
            "gateway.bind",
            3,
            "must be 'loopback', 'lan', 'auto', 'tailnet' or 'custom'; did you mean \"loopback\"?",
        ),
        ("agents.list[0].mdel", 4, '"mdel" is not a known key; did you mean "model"?'),
        ("agents.list[1].id", 4, "must be a text in quotes, not a number"),
        ("models.providers.p.models[0].id", 5, "this key is required"),
        ("nope", 6, '"nope" is not a known key; remove it or correct its name'),
    ]


def test_the_error_lists_file_line_and_all_problems(path: Path) -> None:
    path.write_text("{\n a: 1,\n b: 2}")
    with pytest.raises(ConfigError) as caught:
        load(path)
    text = str(caught.value)
    assert "has 2 problems" in text
    assert f"{path}:2: a: " in text
    assert f"{path}:3: b: " in text


def test_snake_case_and_coercion_are_refused(path: Path) -> None:
    assert [row[0] for row in problems(path, '{gateway: {control_ui: {}, port: "1", auth: {rateLimit: {maxAttempts: true}}}}')]


def test_invalid_json5_has_line_and_column(path: Path) -> None:
    assert problems(path, "{\n  gateway: {port 1}\n}") == [
        ("", 2, "this is not valid JSON5: unexpected '1'; a colon is missing after the key 'port' (column 18)")
    ]


def test_rules_between_keys(path: Path) -> None:
    assert problems(path, '{gateway: {bind: "lan", auth: {mode: "none"}}}')[0][2].startswith('auth.mode "none" is only')
    assert problems(path, '{agents: {list: [{id: "a"}, {id: "a"}]}}')[0][2] == 'the agent "a" is listed twice'


def test_secret_values_are_not_repeated_in_problems(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(path, '{gateway: {auth: {token: ["hunter2-hunter2"]}}, models: {providers: {p: {apiKey: {sauce: "hunter2"}}}}}')
    assert "hunter2" not in str(caught.value)


def test_an_unreadable_file_is_one_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match="the file cannot be read: is a directory"):
        load(path)
    path.rmdir()
    path.write_bytes(b"{a: '\xff'}")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(path)

    def refuse(*_args: Any, **_kwargs: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ConfigError, match="cannot be read: permission denied; correct its permissions"):
        load(path)


def test_environment_names(path: Path) -> None:
    (path.parent / ".env").write_text("export FROM_FILE='file' # why\nNAME=never\nnonsense\n")
    loaded = load(
        path,
        """{env: {vars: {FROM_VARS: "vars", NAME: "never"}},
        ui: {assistant: {name: "${NAME}-${FROM_VARS}-${FROM_VARS}-$${NAME}-${lower}-$$", avatar: "${MISSING}"}}}""",
        {"NAME": "me", "OPENCLAW_STATE_DIR": str(path.parent)},
    )
    assert loaded.config.ui.assistant.name == "me-vars-vars-${NAME}-${lower}-$$"
    assert loaded.config.ui.assistant.avatar == "${MISSING}"
    assert loaded.env["FROM_FILE"] == "file"
    assert len(loaded.warnings) == 1
    assert ":2: ui.assistant.avatar: the environment variable MISSING is not set" in loaded.warnings[0]


def test_includes_replace_merge_and_are_overridden(path: Path) -> None:
    folder = path.parent / "parts"
    folder.mkdir()
    (folder / "a.json").write_text('{gateway: {port: 1, bind: "lan"}, ui: {$include: "ui.json"}}')
    (folder / "b.json").write_text("{gateway: {port: 2}}")
    (folder / "ui.json").write_text('{assistant: {name: "N"}}')
    loaded = load(path, '{$include: ["parts/a.json", "./parts/b.json"], gateway: {reload: {mode: "off"}}}')
    gateway = loaded.config.gateway
    assert (gateway.port, gateway.bind, gateway.reload.mode) == (2, "lan", "off")
    assert loaded.config.ui.assistant.name == "N"
    assert {file.name for file in loaded.files} == {"openclaw.json", "a.json", "b.json", "ui.json"}
    before = loaded.hash
    (folder / "ui.json").write_text("{}")
    assert load(path).hash != before


def test_a_problem_in_an_include_names_that_file(path: Path) -> None:
    other = path.parent / "g.json"
    other.write_text("{\n\n prt: 1}")
    with pytest.raises(ConfigError) as caught:
        load(path, '{gateway: {$include: "g.json"}}')
    (problem,) = caught.value.problems
    assert (problem.path, problem.file, problem.line) == ("gateway.prt", str(other), 3)


def test_circles_depth_and_missing_includes(path: Path) -> None:
    folder = path.parent
    (folder / "a.json").write_text('{$include: "openclaw.json"}')
    assert "in a circle: openclaw.json → a.json → openclaw.json" in problems(path, '{$include: "a.json"}')[0][2]
    for number in range(12):
        (folder / f"n{number}.json").write_text(f'{{$include: "n{number + 1}.json"}}')
    (folder / "n9.json").write_text("{cron: {enabled: false}}")
    assert load(path, '{$include: "n0.json"}').config.cron.enabled is False
    (folder / "n9.json").write_text('{$include: "n10.json"}')
    (folder / "n10.json").write_text("{}")
    assert "more than 10 levels" in problems(path, '{$include: "n0.json"}')[0][2]
    assert "cannot be read: no such file" in problems(path, '{$include: "none.json"}')[0][2]
    assert "1 to 4095" in problems(path, '{$include: "' + "x" * 4096 + '"}')[0][2]
    assert "a file name or a list" in problems(path, "{$include: 5}")[0][2]


def test_includes_stay_inside_their_roots_after_links_resolve(path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.json").write_text("{cron: {enabled: false}}")
    os.symlink(outside / "x.json", path.parent / "link.json")
    for name in (str(outside / "x.json"), "link.json", f"../{outside.name}/x.json"):
        assert "outside the config directory" in problems(path, f'{{$include: "{name}"}}')[0][2]
    allowed = load(path, '{$include: "link.json"}', {"OPENCLAW_INCLUDE_ROOTS": str(outside)})
    assert allowed.config.cron.enabled is False


def test_a_key_written_twice_is_a_warning(path: Path) -> None:
    loaded = load(path, "{cron: {},\n cron: {enabled: false}}")
    assert loaded.config.cron.enabled is False
    assert f'{path}:1: the key "cron" is written twice' in loaded.warnings[0]


def test_openclaws_own_provider_block(path: Path) -> None:
    config = load(
        path,
        """{$schema: "x", agents: {defaults: {model: {primary: "lm/q", fallbacks: ["lm/r"]}},
          list: [{id: "main", model: "lm/q"}]},
        models: {mode: "merge", providers: {lm: {baseUrl: "http://127.0.0.1:1/v1", apiKey: "k", api: "openai-completions",
          models: [{id: "q", name: "Q", reasoning: false, input: ["text"], contextWindow: 8000, maxTokens: 100,
            cost: {input: 0, output: 1.5, cacheRead: 0, cacheWrite: 0}}]}}},
        channels: {telegram: {botToken: "t"}}}""",
    ).config
    assert config.models.providers["lm"].models[0].context_window == 8000
    assert config.agents.list[0].model == "lm/q"
    assert "botToken" in config.channels["telegram"]


def test_secrets_are_not_in_the_repr(path: Path) -> None:
    config = load(path, '{gateway: {auth: {password: "hunter2-hunter2"}}, env: {vars: {A: "hunter2"}}}').config
    assert config.gateway.auth.mode == "password"
    assert "hunter2" not in repr(config)
