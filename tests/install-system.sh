#!/bin/sh
# System packages that tests need: a Chromium for the browser tests and bubblewrap for sandboxes.
# Where they cannot be installed the tests that need them say so by name.
set -u
missing=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
command -v bwrap >/dev/null || missing="$missing bubblewrap"
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "Not installed:$missing (no apt-get here); the tests that need it will be skipped by name."
  exit 0
fi
root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
echo "Installing$missing …"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq && $root apt-get install -y -qq $missing >/dev/null \
  || echo "Could not install$missing; the tests that need it will be skipped by name."
