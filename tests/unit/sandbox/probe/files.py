"""Files of the host: read, written, linked to."""

import os
import sys

from base import FACTS, LIBC, attempt, first, head, writable


@attempt
def shadow():
    return head("/etc/shadow")


@attempt
def gateway_token():
    return head(FACTS["secret"])


@attempt
def ssh_key():
    return head(FACTS["key"])


@attempt
def other_workspace():
    return head(FACTS["other"])


@attempt
def climbing():
    return first(head, ["../" * 12 + FACTS["secret"], "/proc/self/cwd/" + "../" * 12 + FACTS["secret"]])


@attempt
def planted_link():
    return head(FACTS["link"])


@attempt
def own_link():
    link = os.path.join(FACTS["scratch"], "own-link")
    os.symlink(FACTS["secret"], link)
    return head(link)


@attempt
def write_through_link():
    with open(FACTS["write-link"], "a") as file:
        file.write("changed")
    return "written" if "changed" in open(FACTS["written"]).read() else ""


@attempt
def hard_link():
    link = os.path.join(FACTS["scratch"], "hard-link")
    os.link(FACTS["secret"], link)
    return head(link)


@attempt
def roots_in_proc():
    roots = [f"/proc/{pid}/root{FACTS['secret']}" for pid in os.listdir("/proc") if pid.isdigit()]
    return first(head, roots)


@attempt
def inherited_descriptors():
    return first(lambda number: os.readlink(f"/proc/self/fd/{number}"), [n for n in FACTS["open"] if n > 2])


@attempt
def write_system():
    return first(writable, [f"{folder}/openclaw-probe" for folder in ("/usr", "/usr/bin", "/etc", "/opt", "/var", "")])


@attempt
def write_interpreter():
    return first(writable, [os.path.join(folder, "openclaw-probe") for folder in (sys.prefix, sys.base_prefix)])


@attempt
def preload_for_the_host():
    return writable("/etc/ld.so.preload")


@attempt
def posix_memory():
    return head(FACTS["posix_memory"])


@attempt
def shared_memory():
    return "attached" if LIBC.shmget(FACTS["shared_memory"], 0, 0) >= 0 else ""
