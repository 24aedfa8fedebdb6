"""Processes of the host: seen, read, signalled."""

import ctypes
import errno
import os
import signal
import struct

from base import FACTS, LIBC, attempt, first, head


@attempt
def kill_host_process():
    os.kill(FACTS["victim"], signal.SIGCONT)
    return "signalled"


@attempt
def trace_host_process():
    if LIBC.ptrace(16, FACTS["victim"], 0, 0) < 0:
        return ""
    os.waitpid(FACTS["victim"], 0x40000000)
    LIBC.ptrace(17, FACTS["victim"], 0, 0)
    return "attached"


@attempt
def environment_of_host_process():
    return head(f"/proc/{FACTS['victim']}/environ")


@attempt
def memory_of_host_process():
    with open(f"/proc/{FACTS['victim']}/maps") as maps, open(f"/proc/{FACTS['victim']}/mem", "rb", buffering=0) as memory:
        memory.seek(int(maps.readline().split("-")[0], 16))
        return repr(memory.read(4))


@attempt
def descriptor_of_host_process():
    return str(os.pidfd_open(FACTS["victim"]))


@attempt
def host_processes_seen():
    mark = FACTS["mark"].encode()
    return first(lambda pid: mark in open(f"/proc/{pid}/cmdline", "rb").read(), [p for p in os.listdir("/proc") if p.isdigit()])


@attempt
def secrets_in_environments():
    places = ["/proc/self/environ", *(f"/proc/{pid}/environ" for pid in os.listdir("/proc") if pid.isdigit())]
    return first(lambda path: FACTS["variable"].encode() in open(path, "rb").read(), places)


@attempt
def memory_of_others_by_call():
    room = ctypes.create_string_buffer(8)
    local, remote = struct.pack("2Q", ctypes.addressof(room), 8), struct.pack("2Q", 0x1000, 8)
    result = LIBC.process_vm_readv(FACTS["victim"], local, 1, remote, 1, 0)
    return "read" if result >= 0 or ctypes.get_errno() == errno.EFAULT else ""
