"""Both halves refuse the same patterns: the browser's verdicts, asked of Node."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from openclaw_kernel.canvas.patterns import problem_of

FRONT = Path(__file__).parents[3] / "labextension"
ESBUILD = FRONT / "node_modules" / ".bin" / "esbuild"
RUN = """
import { readFileSync } from 'node:fs';
const { patternProblem } = await import(process.argv[1]);
process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(each => patternProblem(each))));
"""
WRITTEN = r"""
a ^a+$ a|b|c (a|b)c (?:ab)? (?=a)b (?!a)b [a-z]+@[a-z.]+ \d{3}-\d{4} \bword\b [\w.-]{1,64}
(?<=a)b (?<!a)b (?<name>a) (?P<name>a) (?P=name) (a)\1 \0 \k<a> (?i)a (?>a) a++ a{2}+
( ) [ [] []a] [^] [^]a] * a** a{2}{3} ^* (a+)+ (a|b)* (?:a{2}){3} ([a+])+ a{,3}
\p \e \cA \x4 \x41 \u12 \u1234 \.\/\-\_ a{999} a{333} a{334} a{332}b (a){250} (a){249} a{0}
(?:a){333} (?:a){334} (?:ab){200} (?:ab){250} (?:ab){251} a{499,} a{500,} (?:a|b)c{330}
a{300}b|a{300}c|a{300}d (?=a{330}) (?=a{334}) (?:[a-c]){333} (?:[a-c]){334}
"""
PATTERNS = ["", "x" * 200, "x" * 201, *WRITTEN.split()]
PIECES = ["a", "b", ".", r"\d", "[a-c]", "[^a]", "(a)", "(?:b)", "(?=a)", "a|b", "|", "^", "$", r"\b"]
REPEATS = ["", "", "", "", "+", "*?", "?", "{2}", "{3,}", "{0,40}", "{90}"]


def made(count: int) -> list[str]:
    """Random patterns, the same ones each time."""
    choose = random.Random(7)
    return ["".join(choose.choice(PIECES) + choose.choice(REPEATS) for _ in range(choose.randint(1, 8))) for _ in range(count)]


@pytest.mark.skipif(shutil.which("node") is None or not ESBUILD.exists(), reason="the front end's packages are not installed")
def test_both_halves_refuse_the_same_patterns(tmp_path: Path) -> None:
    bundle = tmp_path / "patterns.mjs"
    flags = ["--bundle", "--format=esm", "--platform=neutral", f"--outfile={bundle}"]
    subprocess.run([str(ESBUILD), str(FRONT / "src/canvas/patterns.ts"), *flags], check=True, capture_output=True, timeout=60)
    asked = [*PATTERNS, *made(1_000)]
    command = ["node", "--input-type=module", "--eval", RUN, bundle.as_uri()]
    answer = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60)
    verdicts = [(pattern, problem_of(pattern), said) for pattern, said in zip(asked, json.loads(answer.stdout), strict=True)]
    differ = [each for each in verdicts if (each[1] is None) != (each[2] is None)]
    assert differ == []
    assert 100 < sum(said is None for _, said, _ in verdicts) < len(verdicts) - 100
