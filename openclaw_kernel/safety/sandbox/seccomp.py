"""A filter on system calls: what no command of a sandbox ever needs, and what its namespaces do not hold (SAF-20).

Namespaces leave some doors open: keyrings, `AF_VSOCK` (the bus to the hypervisor), the input queue of a terminal and `io_uring`
know no namespace or no filter, and a setuid file that is made in a sandbox is one outside too. Every rarely used part of the
kernel is one more to be attacked through. Both backends get the same rules: bubblewrap as a program of classic BPF, assembled
here (Linux `Documentation/userspace-api/seccomp_filter.rst`), a container engine as its JSON profile.
"""

from __future__ import annotations

import errno
import os
import platform
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

_NUMBERS = """
acct 163 89 | add_key 248 217 | bpf 321 280 | chroot 161 51 | clock_adjtime 305 266 | clock_settime 227 112
create_module 174 - | delete_module 176 106 | fanotify_init 300 262 | finit_module 313 273 | fsconfig 431 431
fsmount 432 432 | fsopen 430 430 | fspick 433 433 | get_kernel_syms 177 - | init_module 175 105
io_uring_enter 426 426 | io_uring_register 427 427 | io_uring_setup 425 425 | ioperm 173 - | iopl 172 - | kcmp 312 272
kexec_file_load 320 294 | kexec_load 246 104 | keyctl 250 219 | lookup_dcookie 212 18 | migrate_pages 256 238
modify_ldt 154 - | mount 165 40 | mount_setattr 442 442 | move_mount 429 429 | move_pages 279 239
name_to_handle_at 303 264 | nfsservctl 180 42 | open_by_handle_at 304 265 | open_tree 428 428 | open_tree_attr 467 467
perf_event_open 298 241 | pivot_root 155 41 | query_module 178 - | quotactl 179 60 | quotactl_fd 443 443 | reboot 169 142
request_key 249 218 | setdomainname 171 162 | sethostname 170 161 | setns 308 268 | settimeofday 164 170
swapoff 168 225 | swapon 167 224 | sysfs 139 - | _sysctl 156 - | syslog 103 116 | umount2 166 39 | unshare 272 97
uselib 134 - | userfaultfd 323 282 | ustat 136 - | vhangup 153 58
"""
"""What fails whatever its arguments are: name and number on x86_64 and aarch64, `-` where there is none."""
_ASKED = """
clone 56 220 | clone3 435 435 | ioctl 16 29 | socket 41 198 | socketpair 53 199 | chmod 90 - | fchmod 91 52
fchmodat 268 53 | fchmodat2 452 452 | creat 85 - | mknod 133 - | mknodat 259 33 | open 2 - | openat 257 56 | openat2 437 437
"""
"""What is judged by an argument, or has a substitute that programs fall back to."""
_UNKNOWN = 463
"""From this number on calls are newer than this table; they fail as on an older kernel (BPF only: a profile has names)."""

_NEW_NAMESPACES = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
"""`CLONE_NEW*`: time, mount, cgroup, UTS, IPC, user, process, network."""
_TYPING = (0x5412, 0x541C)
"""`TIOCSTI` types for whoever reads a terminal, `TIOCLINUX` pastes into a console."""
_FAMILIES = (1, 2, 10, 16)
"""Sockets: unix, IPv4, IPv6, netlink."""
_LAST_FAMILY = 46
_SETUID, _MAKES = 0o4000, (0o100, 0o20000000)
"""The bit of a mode, and the flags of `open` that make a file (`O_CREAT`, `O_TMPFILE`)."""
_WHOLE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Test:
    """True when `argument & mask == value`, by the lower 32 bits, which are all the kernel takes of these arguments."""

    argument: int
    value: int
    mask: int = _WHOLE


@dataclass(frozen=True, slots=True)
class Rule:
    """The call fails with `error` when all tests are true."""

    name: str
    error: int = errno.EPERM
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """An architecture: its `AUDIT_ARCH` word, its name in profiles, and its column of the numbers."""

    name: str
    audit: int
    profile: str
    column: int


_MACHINES = {
    "x86_64": Machine("x86_64", 0xC000003E, "SCMP_ARCH_X86_64", 0),
    "aarch64": Machine("aarch64", 0xC00000B7, "SCMP_ARCH_AARCH64", 1),
}


def machine() -> Machine | None:
    """The architecture this process runs on, if there are numbers for it."""
    name = platform.machine().lower()
    return _MACHINES.get({"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)) if struct.calcsize("P") == 8 else None


@cache
def numbers(of: Machine) -> Mapping[str, int]:
    """Every call the rules speak of that this architecture has."""
    rows = (row.split() for row in f"{_NUMBERS}|{_ASKED}".replace("\n", "|").split("|") if row.strip())
    return {row[0]: int(row[1 + of.column]) for row in rows if row[1 + of.column] != "-"}


def rules() -> Iterator[Rule]:
    """All of them; those of one call stand together."""
    for row in _NUMBERS.replace("\n", "|").split("|"):
        if row.strip():
            yield Rule(row.split()[0])
    yield from (Rule("clone", tests=(Test(0, flag, flag),)) for flag in _NEW_NAMESPACES)
    yield from (Rule(name, errno.ENOSYS) for name in ("clone3", "openat2"))
    yield from (Rule("ioctl", tests=(Test(1, request),)) for request in _TYPING)
    for name in ("socket", "socketpair"):
        for family in set(range(_LAST_FAMILY + 1)) - set(_FAMILIES):
            yield Rule(name, errno.EAFNOSUPPORT, (Test(0, family),))
    modes = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "creat": 1, "mknod": 1, "mknodat": 2}
    yield from (Rule(name, tests=(Test(at, _SETUID, _SETUID),)) for name, at in modes.items())
    for name, at in {"open": 1, "openat": 2}.items():
        yield from (Rule(name, tests=(Test(at, flag, flag), Test(at + 1, _SETUID, _SETUID))) for flag in _MAKES)


def profile(of: Machine) -> dict[str, Any]:
    """The rules as a container engine reads them."""

    def test(one: Test) -> dict[str, Any]:
        return {"index": one.argument, "value": one.mask, "valueTwo": one.value, "op": "SCMP_CMP_MASKED_EQ"}

    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": [of.profile],
        "syscalls": [
            {
                "names": [rule.name],
                "action": "SCMP_ACT_ERRNO",
                "errnoRet": rule.error,
                "args": [test(one) for one in rule.tests],
            }
            for rule in rules()
            if rule.name in numbers(of)
        ],
    }


_LOAD, _AND, _JUMP, _EQUAL, _NOT_BELOW, _RETURN = 0x20, 0x54, 0x05, 0x15, 0x35, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
"""Offsets in `struct seccomp_data`; an argument has 8 bytes, the lower half first on both architectures."""
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000

Instruction = tuple[int, int, int, int]


@cache
def program(of: Machine) -> bytes:
    """The rules as an array of `struct sock_filter`. A call of another architecture ends the process."""
    code = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, of.audit), _end(_KILL), (_LOAD, 0, 0, _NUMBER)]
    if of.name == "x86_64":
        code += [(_NOT_BELOW, 0, 1, _X32), _end(_KILL)]
    code += [(_NOT_BELOW, 0, 1, _UNKNOWN), _end(_FAIL | errno.ENOSYS)]
    by_call: dict[int, list[Rule]] = {}
    for rule in rules():
        if rule.name in numbers(of):
            by_call.setdefault(numbers(of)[rule.name], []).append(rule)
    for number, own in sorted(by_call.items()):
        body = [*(one for rule in own for one in _judge(rule)), _end(_ALLOW)]
        code += [(_EQUAL, 1, 0, number), (_JUMP, 0, 0, len(body)), *body]
    return b"".join(struct.pack("=HBBI", *one) for one in (*code, _end(_ALLOW)))


def _judge(rule: Rule) -> list[Instruction]:
    """Fails the call, or goes on behind these instructions."""
    code = [_end(_FAIL | rule.error)]
    for test in reversed(rule.tests):
        here = [(_LOAD, 0, 0, _ARGUMENTS + 8 * test.argument), (_AND, 0, 0, test.mask), (_EQUAL, 0, len(code), test.value)]
        code = [*here, *code]
    return code


def _end(verdict: int) -> Instruction:
    return (_RETURN, 0, 0, verdict)


class Filter:
    """The program in a sealed piece of memory that other processes open at `path` for as long as this object lives.

    `path` is empty where there is none, and `reason` says in one sentence why.
    """

    def __init__(self) -> None:
        self.path = ""
        self.reason = ""
        self._handle = -1
        here = machine()
        if here is None:
            self.reason = f"System calls are not filtered: there are no numbers of them for {platform.machine()}."
        elif not hasattr(os, "memfd_create"):
            self.reason = "System calls are not filtered: this system has no memory files."
        else:
            self._open(program(here))

    def _open(self, code: bytes) -> None:
        import fcntl  # not on every system

        try:
            self._handle = os.memfd_create("openclaw-seccomp", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.write(self._handle, code)
            fcntl.fcntl(self._handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK)
        except OSError as error:
            self.close()
            self.reason = f"System calls are not filtered: {error.strerror}."
        else:
            self.path = f"/proc/{os.getpid()}/fd/{self._handle}"

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle, self.path = -1, ""

    def __del__(self) -> None:
        self.close()
