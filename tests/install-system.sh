#!/bin/sh
# System packages that tests need: a Chromium for the browser tests, bubblewrap and a Docker engine for sandboxes.
# Where they cannot be installed the tests that need them say so by name.
set -u
missing=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
command -v bwrap >/dev/null || missing="$missing bubblewrap"
if [ "$(id -u)" = 0 ]; then  # only root can start an engine of its own
  command -v dockerd >/dev/null || missing="$missing docker.io"
  [ -x /bin/busybox ] || missing="$missing busybox-static"
fi
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "Not installed:$missing (no apt-get here); the tests that need it will be skipped by name."
  exit 0
fi
root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
echo "Installing$missing …"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ "$(id -u)" = 0 ] && [ ! -e "$policy" ]; then  # no package starts a service while it is installed
  printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
$root apt-get update -qq && $root apt-get install -y -qq $missing >/dev/null \
  || echo "Could not install$missing; the tests that need it will be skipped by name."
