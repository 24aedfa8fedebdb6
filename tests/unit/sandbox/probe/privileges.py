"""Gaining privileges, or keeping some."""

import os
import resource
import shutil
import subprocess

from base import FACTS, LIBC, attempt, first


def capabilities(status="/proc/self/status"):
    with open(status) as lines:
        found = dict(line.rstrip().split(":\t", 1) for line in lines if line.startswith("Cap"))
    return next((f"{name} {found[name]}" for name in ("CapEff", "CapPrm", "CapBnd") if int(found[name], 16)), "")


def capabilities_of(argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=15)
    return next((line for line in done.stdout.splitlines() if line.startswith("CapEff") and int(line.split()[1], 16)), "")


@attempt
def any_capability():
    return capabilities()


@attempt
def new_privileges():
    return "" if LIBC.prctl(39, 0, 0, 0, 0) else "a program may gain privileges"


@attempt
def become_root():
    os.setresuid(0, 0, 0)
    return capabilities()


@attempt
def own_setuid_program():
    copy = os.path.join(FACTS["scratch"], "root-cat")
    shutil.copy(shutil.which("busybox") or shutil.which("cat"), copy)
    if os.path.basename(os.path.realpath(shutil.which("cat"))) == "busybox":
        os.rename(copy, copy := os.path.join(FACTS["scratch"], "cat"))
    os.chmod(copy, 0o4755)
    return f"a setuid file of uid {os.stat(copy).st_uid}" if os.stat(copy).st_mode & 0o4000 else ""


@attempt
def setuid_at_creation():
    path = os.path.join(FACTS["scratch"], "created")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o4755))
    return "created" if os.stat(path).st_mode & 0o4000 else ""


@attempt
def setuid_programs():
    look = "grep CapEff /proc/self/status"
    argvs = [["su", "-c", look], ["sudo", "-n", "sh", "-c", look], ["pkexec", "sh", "-c", look], ["newgrp", "-c", look]]
    return first(capabilities_of, [argv for argv in argvs if shutil.which(argv[0])])


@attempt
def raise_priority():
    return str(os.nice(-5))


@attempt
def lift_limits():
    names, most = ("RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_CPU"), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    return first(lambda name: resource.setrlimit(getattr(resource, name), most) or "lifted", names)
