#!/bin/sh
# Installs the Debian packages that tests need and that are not here yet:
#   chromium          the browser tests; fonts-liberation so that their pictures have letters
#   bubblewrap        the sandbox
#   docker.io         a Docker engine of the tests' own, and busybox-static, its only image; for root only
# It says nothing when everything is here. What it cannot get it names, and ends well: the tests that need it are then skipped
# by name (`chromium: …`, `bubblewrap: …`, `docker: …`; also `npm`, `node` and `root`, which are not installed here).
# Where such a skip would hide something, name what must be there, and it is a failure:
#   OPENCLAW_TEST_REQUIRE="chromium bubblewrap docker"    these
#   OPENCLAW_TEST_REQUIRE=all                             everything
set -u
PATH="$PATH:/usr/sbin:/sbin"
export DEBIAN_FRONTEND=noninteractive

here() {
  case $1 in
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    bubblewrap) command -v bwrap ;;
    docker.io) command -v dockerd ;;
    busybox-static) test -x /bin/busybox ;;
  esac >/dev/null
}

lacking() {
  for package in chromium bubblewrap $for_root; do
    here "$package" || printf ' %s' "$package"
  done
}

get() {
  # shellcheck disable=SC2086  # words
  $as_root apt-get install -y -qq -o DPkg::Lock::Timeout=120 "$@" >/dev/null 2>&1
}

as_root="" for_root="docker.io busybox-static"
[ "$(id -u)" = 0 ] || as_root="sudo -n" for_root=""
missing=$(lacking)
[ -z "$missing" ] && exit 0
if command -v apt-get >/dev/null; then
  echo "Installing$missing …"
  policy=/usr/sbin/policy-rc.d
  if [ -z "$as_root" ] && [ ! -e "$policy" ]; then  # no package starts a service while it is installed
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
  fi
  $as_root apt-get update -qq >/dev/null 2>&1
  case $missing in *chromium*) fonts=fonts-liberation ;; *) fonts="" ;; esac
  # All at once; where one cannot be had, each by itself.
  # shellcheck disable=SC2086
  get $missing $fonts || for package in $missing $fonts; do get "$package"; done
fi
missing=$(lacking)
[ -z "$missing" ] || echo "Not installed:$missing. Tests that need it are skipped by name."
