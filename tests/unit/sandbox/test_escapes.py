"""Attempts to get out of a sandbox, each in bubblewrap and in a real Docker engine. None may succeed (SAF-20)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.unit.sandbox.conftest import SECRET, Room

pytestmark = pytest.mark.timeout(120)
HOME = os.path.expanduser("~")
SHADOW = set(Path("/etc/shadow").read_text().splitlines()) if os.access("/etc/shadow", os.R_OK) else set()


async def test_host_files_are_not_there(room: Room) -> None:
    said = await room.output(
        f"cat {room.secret}; ls {HOME} {room.state}; cat /etc/shadow; find / -name gateway-token -exec cat {{}} +"
    )
    assert SECRET not in said and not SHADOW & set(said.splitlines())


async def test_nothing_is_written_outside_the_workspace(room: Room) -> None:
    targets = [room.state / "evil", room.workspace.parent / "evil"]
    command = "; ".join(f"echo x > {path}" for path in (*targets, "/evil", "/usr/evil", "/etc/evil", "/bin/evil", "/dev/evil"))
    said = await room.output(f"{command}; for f in /evil /usr/evil /etc/evil /bin/evil; do [ -e $f ] && echo THERE; done; true")
    assert "THERE" not in said
    for path in (*map(str, targets), "/evil", "/usr/evil", "/etc/evil", "/bin/evil", "/dev/evil"):
        assert not _exists(path)


async def test_links_lead_nowhere(room: Room) -> None:
    (room.workspace / "host-link").symlink_to(room.secret)
    said = await room.output(
        f"ln -s / root; cat root{room.secret} host-link; echo changed > host-link; ln {room.secret} hard; cat hard"
    )
    assert SECRET not in said and room.secret.read_text() == SECRET


async def test_climbing_up_leads_nowhere(room: Room) -> None:
    up = "../" * 12
    said = await room.output(f"cat {up}{room.secret} /proc/self/cwd/../{up}{room.secret} /proc/self/root{room.secret}")
    assert SECRET not in said


async def test_the_root_of_process_one_is_the_sandbox(room: Room) -> None:
    said = await room.output(
        f"cat /proc/1/root{room.secret} /proc/*/root{room.secret} /proc/*/cwd/../state/gateway-token; ls /proc/1/root/workspace"
    )
    assert SECRET not in said


async def test_the_network_is_not_reachable(room: Room) -> None:
    arrived: list[object] = []
    server = await asyncio.start_server(lambda *pair: arrived.append(pair), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0openclaw-escape")
        abstract.listen()
        targets = f"127.0.0.1 {port}", f"{_own_address()} {port}", "1.1.1.1 80", "169.254.169.254 80"
        tries = "; ".join(
            f"(echo > /dev/tcp/{target.replace(' ', '/')}) 2>/dev/null && echo REACHED; "
            f"command -v nc >/dev/null && echo x | nc -w 2 {target} && echo REACHED"
            for target in targets
        )
        said = await room.output(f"{tries}; cat /proc/net/unix | grep -c openclaw-escape; cat /proc/net/dev", timeout_s=40)
    server.close()
    assert "REACHED" not in said and arrived == []
    assert re.findall(r"^\s*(\w+):\s+\d+ +\d", said, re.MULTILINE) == ["lo"]


async def test_secrets_of_the_gateway_are_in_no_environment(room: Room) -> None:
    said = await room.output("env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'")
    assert SECRET not in said and "HOME=/workspace" in said


async def test_host_processes_are_neither_seen_nor_signalled(room: Room) -> None:
    victim = _sleeper()
    try:
        said = await room.output(
            f"kill -9 {victim.pid} {os.getpid()} && echo KILLED; cat /proc/{os.getpid()}/status; "
            "ls /proc | grep -c '^[0-9]'; kill -9 -1"
        )
        assert victim.poll() is None and "KILLED" not in said and "python" not in said.lower()
    finally:
        victim.kill()
        victim.wait()


async def test_memory_of_other_processes_is_not_readable(room: Room) -> None:
    said = await room.output(
        f"head -c 16 /proc/{os.getpid()}/mem && echo READ; head -c 16 /dev/mem && echo READ; "
        "head -c 16 /proc/kcore | grep -q . && echo READ; "
        "head -c 16 /dev/kmsg && echo READ; true"
    )
    assert "READ" not in said


async def test_nothing_is_mounted(room: Room) -> None:
    said = await room.output(
        "mkdir -p m; mount -t tmpfs none m && echo MOUNTED; mount --bind / m && echo MOUNTED; "
        "mount -t proc none m && echo MOUNTED; mount -o remount,rw / && echo MOUNTED; "
        "mount -o remount,rw /usr && echo MOUNTED; umount /tmp && echo MOUNTED; true"
    )
    assert "MOUNTED" not in said


async def test_no_further_namespace_and_no_chroot(room: Room) -> None:
    said = await room.output(
        "unshare -Ur id && echo OUT; unshare -m true && echo OUT; unshare -U true && echo OUT; chroot / true && echo OUT; "
        "nsenter -t 1 -m true && echo OUT; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status"
    )
    assert "OUT" not in said
    assert "CapEff:\t0000000000000000" in said and "NoNewPrivs:\t1" in said


async def test_no_device_is_made_or_read(room: Room) -> None:
    said = await room.output(
        "mknod d b 8 0 && echo MADE; mknod c c 1 1 && echo MADE; "
        "for d in /dev/sda /dev/vda /dev/nvme0n1 /dev/mem /dev/port /dev/fuse /dev/kvm /dev/net/tun; do "
        "[ -e $d ] && echo THERE $d; done; true"
    )
    assert "MADE" not in said and "THERE" not in said


async def test_the_kernel_is_not_configured(room: Room) -> None:
    """Each file is only given the value it has, so a sandbox that leaks harms nobody."""
    files = ("kernel/core_pattern", "kernel/panic", "kernel/modprobe", "vm/overcommit_memory", "fs/protected_symlinks")
    same = "; ".join(f'f=/proc/sys/{name}; v=$(cat $f) && echo "$v" > $f && echo SET $f' for name in files)
    said = await room.output(
        f"{same}; echo h > /proc/sysrq-trigger && echo SET; echo 0 > /proc/self/../irq/default_smp_affinity && echo SET; "
        "echo > /sys/fs/cgroup/release_agent && echo SET; mkdir /sys/fs/cgroup/x /sys/fs/cgroup/memory/x && echo SET; "
        "hostname evil && echo SET; true"
    )
    assert "SET" not in said


async def test_setuid_gives_nothing(room: Room) -> None:
    said = await room.output(
        "cp $(command -v busybox || command -v id) s; chmod 4755 s; grep CapEff /proc/self/status; "
        "su -c 'echo ROOT' </dev/null; command -v sudo >/dev/null && sudo -n sh -c 'echo ROOT'; true"
    )
    assert "ROOT" not in said and "0000000000000000" in said


async def test_no_engine_socket(room: Room) -> None:
    said = await room.output(
        "for s in /var/run/docker.sock /run/docker.sock /run/podman /run/containerd /run/dbus /run/user; do "
        "[ -e $s ] && echo THERE; done; find / -type s 2>/dev/null; true"
    )
    assert "THERE" not in said and ".sock" not in said


async def test_a_fork_bomb_is_bounded(room: Room) -> None:
    started = time.monotonic()
    mark = f"4321{os.getpid()}"
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, _count(mark))
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    await room.run(f"i=0; while [ $i -lt 400 ]; do sleep {mark} & i=$((i+1)); done; wait", timeout_s=4)
    watching.cancel()
    assert most < 70 and time.monotonic() - started < 30
    assert _count(mark) == 0


async def test_a_memory_bomb_is_bounded(room: Room) -> None:
    result = await room.run("tail /dev/zero; echo code $?; true", timeout_s=40)
    assert "code 0" not in result.details["output"]
    several = await room.run("for i in 1 2 3 4 5 6; do (tail /dev/zero; echo code $?) & done; wait", timeout_s=40)
    assert "code 0" not in several.details["output"]


async def test_temporary_files_and_large_files_are_bounded(room: Room) -> None:
    said = await room.output(
        "for f in /tmp/a /dev/shm/a /workspace/a; do "
        "dd if=/dev/zero of=$f bs=1048576 count=80 2>/dev/null; stat -c 'size %s' $f; rm -f $f; done"
    )
    sizes = [int(line.split()[1]) for line in said.splitlines() if line.startswith("size ")]
    assert len(sizes) == 3 and max(sizes[:2]) <= 16 << 20 and sizes[2] <= 32 << 20


async def test_a_daemon_dies_with_its_command(room: Room) -> None:
    mark = f"8765{os.getpid()}"
    await room.run(f"setsid sh -c 'sleep {mark}' >/dev/null 2>&1 & nohup sleep {mark} >/dev/null 2>&1 & sleep 0.3; exit 0")
    assert _count(mark) == 0


async def test_a_stopped_command_leaves_nothing(room: Room) -> None:
    mark = f"9876{os.getpid()}"
    running = asyncio.create_task(room.run(f"trap '' TERM; setsid sleep {mark} & sleep {mark}", timeout_s=60))
    async with asyncio.timeout(20):
        while _count(mark) < 2:  # noqa: ASYNC110 — the processes are not ours to wait for
            await asyncio.sleep(0.05)
    room.signal.abort("stop")
    result = await asyncio.wait_for(running, 15)
    assert result.details["status"] == "aborted" and _count(mark) == 0


async def test_the_workspace_is_found_at_the_path_it_has_outside(room: Room) -> None:
    """Not an attempt to get out: the model knows this path, and nothing beside it is there."""
    said = await room.output(f"echo x > {room.workspace}/made; ls /workspace; ls {room.workspace.parent}")
    assert said.split() == ["made", "workspace"] and (room.workspace / "made").read_text() == "x\n"
    refused = await room.output(f"echo y > {room.workspace}/made; true", workspaceAccess="ro")
    assert "ead-only" in refused and (room.workspace / "made").read_text() == "x\n"


async def test_a_read_only_workspace_is_read_only_and_a_private_one_is_empty(room: Room) -> None:
    (room.workspace / "seen").write_text("words")
    said = await room.output("cat seen; echo x > seen; echo y > new; true", workspaceAccess="ro")
    assert "words" in said and (room.workspace / "seen").read_text() == "words" and not (room.workspace / "new").exists()
    private = await room.output("ls -A; echo y > new", workspaceAccess="none")
    assert "seen" not in private and not (room.workspace / "new").exists()
    assert "new" in await room.output("ls -A", workspaceAccess="none")


def _exists(path: str) -> bool:
    return os.path.lexists(path)


def _sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "600"])


def _count(mark: str) -> int:
    """Host processes that sleep for `mark` seconds."""
    count = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            count += process.cmdline()[:2] == ["sleep", mark]
    return count


def _own_address() -> str:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.2"


async def test_nothing_is_planted_for_the_owners_git(room: Room) -> None:
    repository = room.workspace / ".git"
    (repository / "hooks").mkdir(parents=True)
    (repository / "config").write_text("[core]\n")
    (repository / "HEAD").write_text("ref: refs/heads/main\n")
    for place in ("/workspace", str(room.workspace)):
        await room.run(
            f"cd {place}; echo evil > .git/hooks/pre-commit; printf '[core]\\nfsmonitor=evil\\n' >> .git/config; "
            "rm -rf .git/config; mv .git elsewhere; mv .git/hooks .git/other; mkdir -p .git/hooks; "
            "echo evil > .git/hooks/post-merge"
        )
    assert (repository / "config").read_text() == "[core]\n" and not any((repository / "hooks").iterdir())
    await room.run("echo 'ref: refs/heads/other' > .git/HEAD")
    assert "other" in (repository / "HEAD").read_text(), "committing in the sandbox still works"
