"""Resources: a sandbox has bounds, a machine has none this low."""

import os
import resource
import signal
import time

from base import FACTS, attempt


def counted(work, enough):
    """Runs `work`, which writes a byte a step, in a child; says how many steps it came, if more than it may."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            work(write)
        finally:
            os._exit(0)
    os.close(write)
    steps = 0
    while data := os.read(read, 65536):
        steps += len(data)
    os.waitpid(child, 0)
    return f"{steps} steps" if steps >= enough else ""


@attempt
def many_processes():
    def work(write):
        for _ in range(150):
            if not (child := os.fork()):
                time.sleep(600)
            os.write(write, b".")
            born.append(child)

    born = []

    def bounded(write):
        try:
            work(write)
        finally:
            for child in born:
                os.kill(child, signal.SIGKILL)
            os.closerange(write, write + 1)
            for child in born:
                os.waitpid(child, 0)

    return counted(bounded, 100)


@attempt
def much_memory():
    def work(write):
        held = []
        for _ in range(40):
            held.append(bytearray(os.urandom(1 << 12)) * 2048)
            os.write(write, b".")

    return counted(work, 32)


def filled(path, megabytes):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with open(path, "wb", buffering=0) as file:
            for _ in range(megabytes):
                file.write(b"x" * (1 << 20))
        return f"{megabytes} MB"
    finally:
        os.unlink(path)


@attempt
def fill_temporary_folder():
    return filled("/tmp/openclaw-probe", 40)


@attempt
def fill_shared_memory():
    return filled("/dev/shm/openclaw-probe", 40)


@attempt
def one_huge_file():
    return filled(os.path.join(FACTS["scratch"], "huge"), 40)


@attempt
def many_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(2000)]
    return f"{len(held)} descriptors"


@attempt
def dump_core():
    return "a core may be written" if resource.getrlimit(resource.RLIMIT_CORE)[1] != 0 else ""
