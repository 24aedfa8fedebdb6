"""What is known of programs: which run other code, which destroy, which only read standard input."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import PurePosixPath


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHELLS = _names("sh bash dash zsh ksh mksh rbash fish ash csh tcsh busybox toybox")
INTERPRETERS = _names(
    "python python2 python3 pypy pypy3 ipython node nodejs deno bun ruby perl php lua luajit Rscript R julia irb "
    "osascript pwsh powershell tclsh wish awk gawk mawk nawk sed gsed jq yq ed ex vi view vim nvim nano emacs gdb lldb expect "
    "sqlite3 psql mysql mariadb duckdb mongosh redis-cli m4 bc dc gnuplot octave guile racket sbcl clisp ocaml ghci runghc "
    "scala groovy erl elixir iex java jshell swift dotnet mono wine tex latex pdflatex xelatex lualatex gs less more most"
)
RUNNERS = _names(
    "eval exec source . builtin xargs parallel watch script ssh mosh env timeout nohup nice ionice stdbuf setsid time "
    "command coproc trap tmux screen unshare nsenter chroot strace ltrace perf flock entr make gmake cmake ninja meson bazel "
    "gradle mvn ant rake bundle gem just npm npx yarn pnpm uv uvx pip pip3 pipx poetry pdm hatch conda mamba cargo go rustc "
    "docker podman nerdctl kubectl helm ansible ansible-playbook terraform vagrant tox nox pytest jupyter pre-commit apt "
    "apt-get dpkg rpm yum dnf snap flatpak brew at batch run-parts start-stop-daemon systemd-run systemctl service "
    "dbus-run-session xvfb-run fakeroot proot firejail bwrap runuser setpriv setarch linux32 linux64 chrt taskset numactl "
    "rlwrap unbuffer socat nc ncat netcat telnet mail mailx sendmail ld.so enable alias bind complete compgen mapfile "
    "readarray read let declare typeset local export readonly unset set shopt jobs fg bg disown wait fc history caller"
)
"""Programs that run something their words or files name, so that approving them once says little about the next time."""

_EVAL_WORDS: Mapping[str, tuple[str, ...]] = {
    "find": ("-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprintf", "-fprint0", "-fls", "-files0-from"),
    "git": (
        *("-c", "-C", "-O", "-x", "--config-env", "--exec-path", "--upload-pack", "--receive-pack", "--ext-diff", "--textconv"),
        *("--open-files-in-pager", "--git-dir", "--work-tree", "--output", "--exec", "--template", "--super-prefix"),
        *(
            "config",
            "bisect",
            "submodule",
            "filter-branch",
            "difftool",
            "mergetool",
            "hook",
            "daemon",
            "instaweb",
            "maintenance",
        ),
        *("alias", "credential", "send-email", "remote-ext", "upload-pack", "receive-pack", "upload-archive", "shell"),
    ),
    "tar": (
        "--to-command",
        "--checkpoint-action",
        "-I",
        "--use-compress-program",
        "-F",
        "--info-script",
        "--new-volume-script",
        "--rsh-command",
        "--rmt-command",
    ),
    "bsdtar": ("--use-compress-program",),
    "cpio": ("--rsh-command", "--rmt-command"),
    "rsync": ("-e", "--rsh", "--rsync-path", "--daemon"),
    "scp": ("-S", "-o", "-F", "-J"),
    "sftp": ("-S", "-o", "-F", "-J", "-b"),
    "sort": ("--compress-program", "-o", "--output"),
    "split": ("--filter",),
    "fd": ("-x", "-X", "--exec", "--exec-batch"),
    "rg": ("--pre", "--hostname-bin"),
    "ag": ("--pager",),
    "man": ("-P", "--pager", "-H", "--html", "-X", "--gxditview"),
    "zip": ("-T", "-TT", "--unzip-command"),
    "wget": ("--use-askpass", "-e", "--execute"),
    "curl": ("-K", "--config", "--engine"),
    "gcc": ("-wrapper", "-fplugin", "-B", "-specs"),
    "cc": ("-wrapper", "-fplugin", "-B", "-specs"),
    "tcpdump": ("-z",),
    "nmap": ("--script",),
    "openssl": ("-engine", "engine", "-provider-path"),
    "test": ("-v", "-R"),
    "[": ("-v", "-R"),
    "printf": ("-v",),
    "tree": ("-o",),
    "date": ("-s", "--set"),
    "hostname": ("-F", "--file", "-b"),
}
"""Words of harmless-looking programs that run another program, write a file or (bash's `test -v`, `printf -v`) evaluate an
index. Found by name, as `name=value`, shortened as GNU programs allow, and in a cluster of letters."""

_CODE_FIRST = _names("awk gawk mawk nawk sed gsed jq yq eval m4 dc")
_SCRIPT_RUNNERS = _names(
    "sh bash dash ksh zsh python python2 python3 pypy pypy3 node nodejs ruby perl php lua luajit Rscript julia tclsh"
)
"""Interpreters whose first word is the file they run."""

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
_FILE_LIST = re.compile(r"--f(?!ield|ollow)")
_SYSTEM_FOLDERS = ("/bin", "/usr/bin")

_DANGEROUS_TEXT = (
    (re.compile(r"\brm\s(?:[^\n;&|]{0,400}\s)?(?:-[A-Za-z]*[rRf]|--(?:recursive|force))"), "deletes files for good"),
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
    if name in RUNNERS or name.startswith(("ld-linux", "ld-musl")):
        return f"{name} runs other programs"
    for option in _EVAL_WORDS.get(name, ()):
        if any(_is_option(word, option) for word in argv[1:]):
            return f"{name} {option} runs or overwrites something else"
    if name == "tar" and len(argv) > 1 and set(argv[1].partition("=")[0]) & set("IF") and argv[1][:2] != "--":
        return "tar can run another program with these letters"
    return ""


def _is_option(word: str, option: str) -> bool:
    name = word.partition("=")[0]
    if word == option or name == option:
        return True
    if option.startswith("--"):
        return len(name) > 3 and name.startswith("--") and option.startswith(name)
    if len(option) == 2 and option.startswith("-"):
        return word.startswith(option) or (re.fullmatch(r"-[A-Za-z0-9]+", word) is not None and option[1] in word)
    return False


def holds_code(argv: tuple[str, ...]) -> bool:
    """Whether code stands in the command itself (`python -c`, `bash -c`, `node -e`, awk's program): always asked (SAF-09)."""
    name = program(argv)
    if name in _CODE_FIRST:
        return True
    if not (name in SHELLS or _is_interpreter(name)):
        return False
    for word in argv[1:]:
        if not word.startswith("-"):
            return word.startswith("+")
        if word in ("--eval", "--print", "--command") or (set(word) & set("ceEpr") and not word.startswith("--")):
            return True
        if word.startswith(("--eval=", "--print=", "--command=")):
            return True
    return False


def runs_script_files(word: str) -> bool:
    """Whether a program runs the file its first word names, and nothing else."""
    name = PurePosixPath(word).name
    return name in _SCRIPT_RUNNERS or re.fullmatch(r"(?:python|pypy|node|ruby|perl|php|lua)[\d.]+", name) is not None


def danger(commands: Iterable[tuple[str, ...]], text: str) -> str:
    """Why these commands, written as `text`, are of high risk, or `""`. A hint for the card, never the only guard."""
    commands = tuple(commands)
    names = [program(argv) for argv in commands]
    for argv, name in zip(commands, names, strict=True):
        if name in _ROOT_ONLY or name.startswith("mkfs"):
            return f"{name} can change the whole machine"
        if reason := _destroys(name, argv[1:]):
            return reason
    runs = any(name in SHELLS or _is_interpreter(name) or name in ("eval", "source", ".") for name in names)
    if runs and any(name in _FETCHERS for name in names):
        return "runs code it downloads"
    return next((reason for pattern, reason in _DANGEROUS_TEXT if pattern.search(text)), "")


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
        is_option = word.startswith("-") and len(word) > 1 and "/" not in word and not _FILE_LIST.match(word)
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
