"""The program that tries to get out: `python3 probe FACTS.json [NAME …]`, run inside a sandbox and, as a control, outside.

Each attempt runs in a child of its own and returns what it got hold of, or nothing. One line each: name, verdict, detail, with
tabs between. Standard library only.
"""

import contextlib
import json
import os
import select
import signal
import sys

import bounds
import files
import kernel
import namespaces
import privileges
import processes
import sockets
from base import ATTEMPTS, FACTS

MODULES = (files, sockets, processes, privileges, namespaces, kernel, bounds)
EACH_S = 20


def one(name):
    """Verdict and detail of an attempt, in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        signal.alarm(EACH_S)
        try:
            detail = ATTEMPTS[name]()
            said = ("ESCAPED\t" + " ".join(str(detail).split())) if detail else "HELD\tnothing"
        except BaseException as error:  # noqa: BLE001 — whatever it is, it is reported
            said = f"HELD\t{type(error).__name__}: {error}"
        os.write(write, said.replace("\n", " ")[:300].encode())
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(child, 0)
    said = os.read(read, 4096).decode() if select.select([read], [], [], 1)[0] else ""
    os.close(read)
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    return said or f"HELD\tended with status {status}"


def main():
    open_now = [int(name) for name in os.listdir("/proc/self/fd")]
    with open(sys.argv[1]) as file:
        FACTS.update(json.load(file))
    FACTS["open"] = [number for number in open_now if os.path.exists(f"/proc/self/fd/{number}")]
    for name in sys.argv[2:] or list(ATTEMPTS):
        print(f"{name}\t{one(name)}", flush=True)
    print("DONE\tDONE\t", flush=True)


if __name__ == "__main__":
    main()
