"""The kernel, its devices and its rarely used calls."""

import ctypes
import fcntl
import os
import pty
import select
import termios

from base import CONTROL, FACTS, LIBC, attempt, call, first, head, reached


@attempt
def make_device():
    path = os.path.join(FACTS["scratch"], "device")
    os.mknod(path, 0o60600, os.makedev(7, 0))
    os.unlink(path)
    return "made"


@attempt
def open_device():
    names = ("kmsg", "mem", "port", "sda", "vda", "nvme0n1", "kvm", "fuse", "net/tun", "vsock", "loop-control", "vhost-vsock")
    return first(lambda name: str(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK)), names)


@attempt
def kernel_memory():
    return first(head, ["/proc/kcore", "/proc/kpageflags", "/proc/kpagecount", "/sys/kernel/debug/kcov"])


@attempt
def kernel_settings():
    names = ("kernel/core_pattern", "kernel/panic", "kernel/modprobe", "vm/overcommit_memory", "fs/protected_symlinks")
    return first(lambda name: os.open(f"/proc/sys/{name}", os.O_WRONLY), names)


@attempt
def kernel_switches():
    names = (
        "/proc/sysrq-trigger",
        "/proc/irq/default_smp_affinity",
        "/sys/power/state",
        "/sys/kernel/mm/transparent_hugepage/enabled",
    )
    return first(lambda path: str(os.open(path, os.O_WRONLY)), names)


@attempt
def kernel_log():
    size = LIBC.klogctl(10, None, 0)
    return f"{size} bytes" if size > 0 else ""


def cgroup_files(names):
    for folder, _, files in os.walk("/sys/fs/cgroup"):
        yield from (os.path.join(folder, name) for name in names if name in files)


@attempt
def cgroup_release_agent():
    return first(lambda path: str(os.open(path, os.O_WRONLY)), cgroup_files(("release_agent", "cgroup.procs")))


@attempt
def cgroup_limits():
    names = ("pids.max", "memory.max", "memory.limit_in_bytes")
    return first(lambda path: str(os.open(path, os.O_WRONLY)), cgroup_files(names))


@attempt
def cgroup_of_its_own():
    def make(folder):
        path = os.path.join(folder, "openclaw-probe")
        os.mkdir(path)
        os.rmdir(path)
        return "made"

    return first(make, [folder for folder, _, _ in os.walk("/sys/fs/cgroup")] or ["/sys/fs/cgroup"])


@attempt
def add_key():
    serial, _ = call("add_key", b"user", b"openclaw-probe", b"x", 1, -1)
    if serial > 0:
        call("keyctl", 3, serial)
    return f"key {serial}" if serial > 0 else ""


@attempt
def kernel_keyring():
    return reached("keyctl", 0, -4, 1)


@attempt
def terminal_injection():
    """Types into a terminal that was handed in; a control is given one."""
    if CONTROL:
        child, master = pty.fork()
        if child:
            return "typed" if b"TYPED" in _all_of(master) else ""
    done = first(lambda handle: fcntl.ioctl(handle, termios.TIOCSTI, b"x") or "typed", [0, 1, 2, _terminal()])
    if CONTROL:
        os.write(1, b"TYPED" if done else b"-")
        os._exit(0)
    return done


def _terminal():
    try:
        return os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return 0


def _all_of(master):
    seen = b""
    try:
        while select.select([master], [], [], 5)[0] and (data := os.read(master, 4096)):
            seen += data
    except OSError:
        pass
    return seen


@attempt
def page_faults():
    return reached("userfaultfd", 1)


@attempt
def asynchronous_calls():
    return reached("io_uring_setup", 1, None)


@attempt
def kernel_programs():
    return reached("bpf", 9999, None, 0)


@attempt
def performance_counters():
    return reached("perf_event_open", None, 0, -1, -1, 0)


@attempt
def other_kernel():
    return reached("kexec_load", 0, 99, None, 0)


@attempt
def kernel_module():
    return reached("init_module", None, 0, None) or reached("finit_module", -1, b"", 0)


@attempt
def open_by_handle():
    return reached("open_by_handle_at", -100, None, 0)


@attempt
def hardware_ports():
    return reached("ioperm", 0x80, 1, 1) or reached("iopl", 3)


@attempt
def swap():
    return reached("swapon", b"/nowhere", 0)


@attempt
def restart_machine():
    return reached("reboot", 0, 0, 0, None)


@attempt
def set_clock():
    return reached("clock_settime", 0, None) or reached("settimeofday", ctypes.c_void_p(8), None)


@attempt
def accounting():
    return reached("acct", b"/nowhere")


@attempt
def quotas():
    return reached("quotactl", 0x80000100, None, 0, None)


@attempt
def host_name():
    return reached("sethostname", b"x", -1)


@attempt
def watch_all_files():
    return reached("fanotify_init", 0, 0)
