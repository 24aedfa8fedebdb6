"""Commands nobody thought of: no crash, and nothing is allowed that bash itself reads as something else (SAF-06)."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_kernel.safety import shell
from openclaw_kernel.safety.shell import inspect
from tests.unit.safety.test_corpus import ASKING, ROWS, judge

BASH = shutil.which("bash") or "/bin/bash"
PIECES = (
    *(
        "ls",
        "cat",
        "echo",
        "grep",
        "git status",
        "git log",
        "head",
        "wc",
        "timeout 5",
        "nice",
        "env",
        "bash -c",
        "sh -c",
        "time",
    ),
    *(
        "id",
        "rm",
        "x",
        "-la",
        "-n",
        "5",
        "/etc/passwd",
        "a=b",
        "A=1",
        "~",
        "*",
        "?",
        "[a]",
        "{a,b}",
        "!",
        "#",
        "%1",
        "@",
        "^",
        "=",
    ),
    *(
        " ",
        "  ",
        "\t",
        "\n",
        "\r",
        "\\",
        "\\\n",
        "'",
        '"',
        "`",
        "$",
        "$(",
        ")",
        "(",
        "${",
        "}",
        "{",
        "$((",
        "))",
        "[[",
        "]]",
        "$'",
    ),
    *(";", ";;", "&", "&&", "|", "||", "|&", ">", ">>", "<", "<<", "<<<", "<(", ">&", "2>&1", "<<E\n", "\nE\n", "\u00a0", "é"),
    *(
        "if",
        "then",
        "fi",
        "do",
        "done",
        "coproc",
        "function",
        "case",
        "esac",
        "in",
        "select",
        "$IFS",
        "$HOME",
        "!!",
        "\u202e",
        "\0",
    ),
)
GLUED = st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map("".join)
SPACED = st.lists(st.sampled_from(PIECES), min_size=1, max_size=10).map(" ".join)
AFTER_A_PROGRAM = st.tuples(st.sampled_from(("ls ", "echo ", "cat ", "ls | ", "timeout 5 ls ")), GLUED).map("".join)
NEARLY = st.tuples(st.sampled_from([row[2] for row in ROWS if len(row[2]) < 200]), GLUED, st.integers(0, 60)).map(
    lambda drawn: drawn[0][: drawn[2]] + drawn[1] + drawn[0][drawn[2] :]
)
COMMANDS = st.one_of(GLUED, SPACED, AFTER_A_PROGRAM, NEARLY, st.text(max_size=60))
WALL = settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SEGMENTS = replace(ASKING, structure="segments")


@WALL
@given(COMMANDS)
def test_any_text_gets_a_verdict(command: str) -> None:
    assert judge(command, SEGMENTS) in "AQD"
    assert judge(command, replace(SEGMENTS, tainted=True)) != "A"


@WALL
@given(COMMANDS)
def test_whatever_is_allowed_is_what_bash_reads(command: str) -> None:
    if judge(command, SEGMENTS) == "A":
        _holds(command)


def test_every_allowed_command_of_the_corpus_is_what_bash_reads() -> None:
    for command in [row[2] for row in ROWS if "A" in row[1]]:
        _holds(command)


def _holds(command: str) -> None:
    """Compares our words with the ones of bash, which prints the function it made of the command; nothing of it is run."""
    printed = bash_words(command)
    ours = [list(segment.argv) for segment in inspect(command).segments]
    assert printed == ours, (command, printed, ours)


def bash_words(command: str) -> list[list[str]]:
    """The simple commands that bash sees. A restricted bash without any program prints the function; nobody calls it."""
    program = f"f() {{\n{command}\n}}\ndeclare -f f\n"
    for more in (["-n"], []):
        arguments = [BASH, "--noprofile", "--norc", "-r", *more, "-c", program]
        done = subprocess.run(arguments, capture_output=True, timeout=10, env={"PATH": "/nonexistent"}, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
    lines = done.stdout.rstrip("\n").split("\n")
    assert lines[0].split() == ["f", "()"] and lines[1].strip() == "{" and lines[-1] == "}", done.stdout
    body = "\n".join(lines[2:-1])
    if len(inspect(command).segments) == 1:
        return [shlex.split(body)]
    reader = shlex.shlex(body, posix=True, punctuation_chars=";|&\n")
    reader.whitespace, reader.whitespace_split, reader.commenters = " \t", True, ""
    found: list[list[str]] = [[]]
    for token in reader:
        if token and set(token) <= set(";|&\n"):
            found.append([])
        else:
            found[-1].append(token)
    return [words for words in found if words]


def test_a_verdict_is_quick() -> None:
    """Policy and shell structure together take no more than a millisecond, read afresh."""
    rows = [row[2] for row in ROWS if len(row[2]) < 200]
    inspect("ls")
    best = []
    for _ in range(3):
        shell._read.cache_clear()
        started = time.process_time()
        for command in rows:
            judge(command, SEGMENTS)
        best.append((time.process_time() - started) / len(rows))
    assert min(best) < 0.001, best


def test_the_oracle_reads_bash() -> None:
    assert bash_words("ls -la 'a b' | wc -l && pwd") == [["ls", "-la", "a b"], ["wc", "-l"], ["pwd"]]
