"""Starts a container that was made before and passes on its output and its exit code: `python -m … NAME`."""

from __future__ import annotations

import sys

FOR_EVER_S = 10_000_000
"""The time limit is the one of the tool, outside."""


def main(name: str) -> int:
    """Attaches before the start, so that nothing is missed. An engine that is gone is exit code 125, as docker has it."""
    import docker
    from docker.errors import DockerException

    try:
        container = docker.from_env(timeout=FOR_EVER_S).containers.get(name)
        stream = container.attach(stdout=True, stderr=True, stream=True, logs=True)
        container.start()
        for piece in stream:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        code = int(container.wait()["StatusCode"])
        container.reload()
    except DockerException as error:
        print(f"The sandbox ended: {getattr(error, 'explanation', None) or error}", file=sys.stderr)
        return 125
    if container.attrs["State"].get("OOMKilled"):
        print("Stopped: the sandbox used more memory than it may.", file=sys.stderr)
        return code or 137
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
