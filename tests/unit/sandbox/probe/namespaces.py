"""Mounts and namespaces."""

import os
import signal
import struct

from base import CONTROL, FACTS, LIBC, attempt, call, first, private_mounts, reached


@attempt
def mount_memory():
    private_mounts()
    return "mounted" if LIBC.mount(b"none", FACTS["scratch"].encode(), b"tmpfs", 0, None) == 0 else ""


@attempt
def mount_host_root():
    private_mounts()
    return "mounted" if LIBC.mount(b"/", FACTS["scratch"].encode(), None, 4096, None) == 0 else ""


@attempt
def mount_proc():
    private_mounts()
    return "mounted" if LIBC.mount(b"none", FACTS["scratch"].encode(), b"proc", 0, None) == 0 else ""


@attempt
def remount_writable():
    private_mounts()
    if CONTROL:
        LIBC.mount(b"/usr", b"/usr", None, 4096, None)
    return first(
        lambda place: "remounted" if LIBC.mount(b"none", place, None, 32 | 4096, None) == 0 else "", [b"/usr", b"/", b"/proc"]
    )


@attempt
def new_mount_interface():
    return reached("fsopen", b"tmpfs", 0)


@attempt
def clone_mount_tree():
    return reached("open_tree", -100, b"/", 1)


@attempt
def unmount():
    private_mounts()
    return first(lambda place: "unmounted" if LIBC.umount2(place, 2) == 0 else "", [b"/proc", b"/tmp", b"/dev/shm", b"/sys"])


@attempt
def user_namespace_and_mount():
    if call("unshare", 0x10000000 | 0x20000)[0] < 0:
        return ""
    return "a user namespace of its own"


@attempt
def mount_namespace():
    return reached("unshare", 0x20000)


def cloned(result):
    if result == 0:
        os._exit(0)
    if result > 0:
        os.waitpid(result, 0)
    return f"process {result}" if result > 0 else ""


@attempt
def clone_with_namespace():
    return cloned(call("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)[0])


@attempt
def clone3_with_namespace():
    words = struct.pack("8Q", 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    return cloned(call("clone3", words, len(words))[0])


@attempt
def enter_namespace():
    def enter(path):
        handle = os.open(path, os.O_RDONLY)
        return reached("setns", handle, 0)

    return first(enter, [f"/proc/{pid}/ns/{kind}" for pid in ("1", "self") for kind in ("mnt", "net", "uts")])


@attempt
def change_root():
    os.chroot(".")
    return "done"


@attempt
def pivot():
    return reached("pivot_root", b"/nowhere", b"/nowhere")
