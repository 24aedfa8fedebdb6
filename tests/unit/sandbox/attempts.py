"""The attempts to get out of a sandbox: name → how it is tried → what would count as success. The programs are in `probe/`.

Not among them, because no sandbox can hold it while the workspace is to be written: planting a file there that the host's own
programs obey (`.envrc`, a `conftest.py`), and filling the disk with many files. The file tools ask before they write such a
file; a sandboxed command is shown on its card before it runs. Hooks and settings of git are held: see `test_escapes.py`.
"""

ATTEMPTS = {
    # files of the host
    "shadow": ("open /etc/shadow", "a byte of it"),
    "gateway_token": ("open the gateway's token in the state directory", "a byte of it"),
    "ssh_key": ("open a key in ~/.ssh", "a byte of it"),
    "other_workspace": ("open a file of another agent's workspace", "a byte of it"),
    "climbing": ("the token through ../../.. from the workspace and from /proc/self/cwd", "a byte of it"),
    "planted_link": ("read a link in the workspace that was made outside", "a byte of the token"),
    "own_link": ("make a link to the token and read it", "a byte of the token"),
    "write_through_link": ("append through a link in the workspace to a file outside", "the file has changed"),
    "hard_link": ("make a hard link to the token and read it", "a byte of the token"),
    "roots_in_proc": ("the token through /proc/PID/root of every process", "a byte of it"),
    "inherited_descriptors": ("look for open files that were handed in", "a descriptor above 2"),
    "write_system": ("make a file in /, /usr, /usr/bin, /etc, /opt, /var", "one is open for writing"),
    "write_interpreter": ("make a file in the read-only bound Python", "it is open for writing"),
    "preload_for_the_host": ("open /etc/ld.so.preload for writing", "it is open"),
    "posix_memory": ("open the host's /dev/shm", "a byte of a file there"),
    "shared_memory": ("shmget with the key of a host segment", "the segment"),
    # network and sockets
    "gateway_port": ("connect to a port on 127.0.0.1", "a connection"),
    "host_address": ("connect to a port on the host's own address", "a connection"),
    "internet": ("connect to 1.1.1.1 port 80", "a connection"),
    "metadata_service": ("connect to 169.254.169.254 port 80", "a connection"),
    "names_lookup": ("send a DNS query to 9.9.9.9", "an answer"),
    "raw_socket": ("open a raw ICMP socket", "the socket"),
    "packet_socket": ("open a packet socket", "the socket"),
    "machine_socket": ("open AF_VSOCK, the bus to the hypervisor, which no namespace holds", "the socket"),
    "abstract_socket": ("connect to an abstract unix socket of the host", "a connection"),
    "engine_socket": ("connect to a container engine's socket", "a connection"),
    "agent_and_bus_sockets": ("connect to ssh-agent and D-Bus by their variables and places", "a connection"),
    "display_socket": ("connect to an X11 display", "a connection"),
    # other processes
    "kill_host_process": ("kill a process of the host by its number", "the signal was sent"),
    "trace_host_process": ("ptrace attach to it", "it is attached"),
    "environment_of_host_process": ("read /proc/PID/environ of it", "a byte of it"),
    "memory_of_host_process": ("read /proc/PID/mem of it", "a byte of it"),
    "memory_of_others_by_call": ("process_vm_readv of it", "it was found"),
    "descriptor_of_host_process": ("pidfd_open of it", "a descriptor"),
    "host_processes_seen": ("look through /proc for its command line", "it is there"),
    "secrets_in_environments": ("look through every /proc/PID/environ for the gateway's token", "the variable is there"),
    # privileges
    "any_capability": ("read CapEff, CapPrm, CapBnd", "one is not zero"),
    "new_privileges": ("read no_new_privs", "it is not set"),
    "become_root": ("setresuid(0, 0, 0)", "a capability"),
    "own_setuid_program": ("copy a program and set its setuid bit", "the file has the bit, there and outside"),
    "setuid_at_creation": ("create a file with the setuid bit", "the file has the bit"),
    "setuid_programs": ("su, sudo, pkexec, newgrp", "a command with a capability"),
    "raise_priority": ("nice(-5)", "it took effect"),
    "lift_limits": ("setrlimit to infinity", "a limit is gone"),
    # mounts and namespaces
    "mount_memory": ("mount a tmpfs", "it is mounted"),
    "mount_host_root": ("bind / again with its submounts", "it is mounted"),
    "mount_proc": ("mount a new proc", "it is mounted"),
    "remount_writable": ("remount /usr, / and /proc read-write", "one is"),
    "new_mount_interface": ("fsopen(tmpfs)", "the call looked at its arguments"),
    "clone_mount_tree": ("open_tree(OPEN_TREE_CLONE)", "the call looked at its arguments"),
    "unmount": ("umount what hides something", "it is gone"),
    "user_namespace_and_mount": ("unshare a user and a mount namespace", "they are made"),
    "mount_namespace": ("unshare a mount namespace", "the call looked at its arguments"),
    "clone_with_namespace": ("clone(CLONE_NEWUSER)", "a process in it"),
    "clone3_with_namespace": ("clone3(CLONE_NEWUSER)", "a process in it"),
    "enter_namespace": ("setns into those of process 1", "the call looked at its arguments"),
    "change_root": ("chroot", "it took effect"),
    "pivot": ("pivot_root", "the call looked at its arguments"),
    # the kernel and its devices
    "make_device": ("mknod a block device", "it is made"),
    "open_device": ("open kmsg, mem, disks, kvm, fuse, tun, vsock and others in /dev", "one is open"),
    "kernel_memory": ("read /proc/kcore and what tells of pages", "a byte"),
    "kernel_settings": ("open settings in /proc/sys for writing", "one is open"),
    "kernel_switches": ("open sysrq-trigger, irq and /sys switches for writing", "one is open"),
    "kernel_log": ("read the size of the kernel's log", "a size"),
    "cgroup_release_agent": ("open release_agent or cgroup.procs for writing", "one is open"),
    "cgroup_limits": ("open pids.max or the memory limit for writing", "one is open"),
    "cgroup_of_its_own": ("make a control group", "it is made"),
    "add_key": ("put a key into the kernel's keyring", "its number"),
    "kernel_keyring": ("ask for the user's keyring", "the call looked at its arguments"),
    "terminal_injection": ("TIOCSTI into every terminal that was handed in", "it was typed"),
    "page_faults": ("userfaultfd", "the call looked at its arguments"),
    "asynchronous_calls": ("io_uring_setup", "the call looked at its arguments"),
    "kernel_programs": ("bpf", "the call looked at its arguments"),
    "performance_counters": ("perf_event_open", "the call looked at its arguments"),
    "other_kernel": ("kexec_load", "the call looked at its arguments"),
    "kernel_module": ("init_module, finit_module", "a call looked at its arguments"),
    "open_by_handle": ("open_by_handle_at", "the call looked at its arguments"),
    "hardware_ports": ("ioperm, iopl", "a call looked at its arguments"),
    "swap": ("swapon", "the call looked at its arguments"),
    "restart_machine": ("reboot with a wrong magic", "the call looked at its arguments"),
    "set_clock": ("clock_settime, settimeofday", "a call looked at its arguments"),
    "accounting": ("acct", "the call looked at its arguments"),
    "quotas": ("quotactl", "the call looked at its arguments"),
    "host_name": ("sethostname", "the call looked at its arguments"),
    "watch_all_files": ("fanotify_init", "the call looked at its arguments"),
    # resources; the limits are 64 processes, 128 MB of memory, 16 MB in /tmp, 32 MB a file, 1,024 descriptors
    "many_processes": ("fork 150 processes that stay", "100 of them"),
    "much_memory": ("hold 40 × 8 MB", "256 MB of it"),
    "fill_temporary_folder": ("write 40 MB to /tmp", "all of it"),
    "fill_shared_memory": ("write 40 MB to /dev/shm", "all of it"),
    "one_huge_file": ("write 40 MB to one file of the workspace", "all of it"),
    "many_descriptors": ("open 2,000 files", "all of them"),
    "dump_core": ("ask for the limit of core files", "it is not zero"),
}

UNKNOWN_TO_SOME_KERNELS = frozenset(
    "kernel_memory kernel_switches other_kernel kernel_module hardware_ports machine_socket page_faults asynchronous_calls "  # noqa: SIM905
    "kernel_log kernel_programs quotas accounting swap packet_socket cgroup_limits".split()
)
"""What a kernel may be built or started without: there the machine itself refuses, and the control says so."""
