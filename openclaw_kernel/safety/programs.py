"""What is known of programs: which run other code, which destroy, which only read standard input."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePosixPath

from openclaw_kernel.safety.shell import Structure


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHELLS = _names("sh bash dash zsh ksh fish ash csh tcsh busybox")
INTERPRETERS = _names(
    "python python2 python3 pypy pypy3 ipython node nodejs deno bun ruby perl php lua luajit Rscript R julia "
    "osascript pwsh powershell tclsh awk gawk mawk nawk sed gsed jq ed ex vi vim nvim emacs gdb expect sqlite3 psql "
    "mysql duckdb"
)
RUNNERS = _names(
    "eval exec source . builtin xargs parallel watch script ssh env timeout nohup nice ionice stdbuf setsid time "
    "command coproc trap tmux screen unshare chroot strace ltrace flock entr make just npm npx yarn pnpm uv uvx "
    "pipx cargo go docker podman kubectl tox nox pytest jupyter"
)
"""Programs that run something their words or files name, so that approving them once says little about the next time."""

_EVAL_WORDS = {
    "find": ("-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprintf", "-fprint0", "-fls"),
    "git": (
        "-c",
        "--config-env",
        "--exec-path",
        "--upload-pack",
        "--receive-pack",
        "--ext-diff",
        "-O",
        "--open-files-in-pager",
    ),
    "tar": ("--to-command", "--checkpoint-action", "-I", "--use-compress-program", "-F", "--info-script", "--rsh-command"),
    "rsync": ("-e", "--rsh", "--rsync-path"),
    "sort": ("--compress-program", "-o", "--output"),
    "fd": ("-x", "-X", "--exec", "--exec-batch"),
    "rg": ("--pre",),
    "man": ("-P", "--pager", "-H", "--html"),
    "zip": ("-T", "-TT", "--unzip-command"),
}
"""Options of harmless-looking programs that run another program or write a file; found by name or as `name=value`."""

_ROOT_ONLY = _names(
    "sudo doas su pkexec run0 dd shred shutdown reboot halt poweroff fdisk parted wipefs insmod modprobe iptables "
    "nft crontab visudo useradd userdel passwd mkswap kexec"
)
_FETCHERS = _names("curl wget fetch http https aria2c")
_READERS = _names("ls pwd echo date whoami uname cat head tail wc which df du file stat hostname id uptime true cal")
_NEVER_SAFE = _names("jq awk gawk sed")
_VALUE_OPTIONS = {
    "cut": _names("-d -f -c -b --delimiter --fields --characters --bytes"),
    "head": _names("-n -c --lines --bytes"),
    "tail": _names("-n -c --lines --bytes"),
    "uniq": _names("-f -s -w"),
    "wc": frozenset[str](),
    "tr": frozenset[str](),
}
_SYSTEM_FOLDERS = ("/bin", "/usr/bin")

_DANGEROUS_TEXT = (
    (re.compile(r"\brm\s+(?:-\S+\s+)*-[A-Za-z]*[rRf]|\brm\s+(?:\S+\s+)*--(?:recursive|force)"), "deletes files for good"),
    (re.compile(r"\b(?:sudo|doas|pkexec)\b"), "runs as another user"),
    (re.compile(r">\s*/(?:etc|boot|usr|dev/(?!null\b|stdout\b|stderr\b|fd/))"), "writes to the system"),
    (re.compile(r":\s*\(\s*\)\s*\{"), "starts processes without end"),
    (re.compile(r"\b(?:mkfs(?:\.\w+)?|shutil\.rmtree)\b"), "deletes files for good"),
)


def program(argv: tuple[str, ...]) -> str:
    """The bare name of the program, `""` for no words."""
    return PurePosixPath(argv[0]).name if argv else ""


def runs_other_code(argv: tuple[str, ...]) -> str:
    """Why approving this program approves code that is not in its name (SAF-07, SAF-09, SAF-11), or `""`."""
    name = program(argv)
    if name in SHELLS or _is_interpreter(name):
        return f"{name} is an interpreter: it runs code given to it"
    if name in RUNNERS:
        return f"{name} runs other programs"
    for word in argv[1:]:
        for option in _EVAL_WORDS.get(name, ()):
            glued = len(option) == 2 and word.startswith(option) and not word.startswith("--")
            if word == option or word.startswith(option + "=") or glued:
                return f"{name} {option} runs or overwrites something else"
    return ""


def danger(structure: Structure, command: str) -> str:
    """Why this command is of high risk, or `""`. A hint for the card, never the only guard."""
    names = [program(segment.argv) for segment in structure.segments]
    for segment, name in zip(structure.segments, names, strict=True):
        if name in _ROOT_ONLY or name.startswith("mkfs"):
            return f"{name} can change the whole machine"
        if reason := _destroys(name, segment.argv[1:]):
            return reason
    runs = any(name in SHELLS or _is_interpreter(name) or name in ("eval", "source", ".") for name in names)
    if runs and any(name in _FETCHERS for name in names):
        return "runs code it downloads"
    return next((reason for pattern, reason in _DANGEROUS_TEXT if pattern.search(command)), "")


def only_reads(argv: tuple[str, ...]) -> bool:
    """Whether the program is known to show things and change nothing: its card says low risk."""
    return program(argv) in _READERS and argv[0] == program(argv)


def is_safe_bin(argv: tuple[str, ...], names: tuple[str, ...], resolved: str) -> bool:
    """Whether a filter reads standard input only: no file operand, found in the system's own folders (SAF-08)."""
    name = argv[0]
    if name not in names or name in _NEVER_SAFE or runs_other_code(argv):
        return False
    if resolved not in (f"{folder}/{name}" for folder in _SYSTEM_FOLDERS):
        return False
    if name == "tr":
        return len(argv) <= 4
    values = _VALUE_OPTIONS.get(name, frozenset[str]())
    for before, word in pairwise(argv):
        is_option = word.startswith("-") and len(word) > 1 and "/" not in word and not word.startswith("--files0-from")
        if not is_option and before not in values:
            return False
    return True


def _is_interpreter(name: str) -> bool:
    return name in INTERPRETERS or re.fullmatch(r"(?:python|pypy|node|ruby|perl|php|lua)[\d.]+", name) is not None


def _destroys(name: str, words: tuple[str, ...]) -> str:
    short = {letter for word in words if re.fullmatch(r"-[A-Za-z]+", word) for letter in word[1:]}
    if name == "rm" and (short & set("rRf") or {"--recursive", "--force"} & set(words)):
        return "rm deletes files for good"
    if name in ("chmod", "chown", "chgrp") and (short & set("R") or "--recursive" in words):
        return f"{name} changes a whole tree"
    if name == "git" and "push" in words and (short & set("f") or any(word.startswith("--force") for word in words)):
        return "git push --force overwrites history"
    if name == "git" and (("reset" in words and "--hard" in words) or ("clean" in words and short & set("fdx"))):
        return "git discards uncommitted work"
    return ""
