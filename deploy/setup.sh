#!/usr/bin/env bash
# Makes .venv as uv.lock says, from Python 3.11+ alone: called by `make setup` and whenever the lock has changed.
# Where the machine has no uv, one is put into .venv/.uv, an environment of its own that a sync leaves alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "make setup: $*" >&2; exit 1; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

install_uv() {
  python=$(find_python) || fail "Python 3.11 or newer is needed, and none is on PATH (name one by PYTHON=/path/to/python3)"
  [[ -x .venv/bin/python ]] || "$python" -m venv --without-pip .venv
  "$python" -m venv .venv/.uv >/dev/null ||
    fail "$python cannot make environments (on Debian and Ubuntu: apt-get install python3-venv)"
  .venv/.uv/bin/python -m pip --disable-pip-version-check install --quiet 'uv>=0.9'
}

uv=$(command -v uv || true)
# A launcher such as pyenv's may be there with no uv behind it.
if [[ -z $uv ]] || ! "$uv" --version >/dev/null 2>&1; then
  uv=.venv/.uv/bin/uv
  "$uv" --version >/dev/null 2>&1 || { echo "make setup: getting uv"; install_uv; }
fi
echo "make setup: bringing .venv in line with uv.lock"
if [[ ! -x .venv/bin/python ]]; then
  # The machine's own Python where it will do, so that nothing is downloaded that is there already.
  "$uv" venv --quiet --python "$(find_python || echo 3.11)" .venv
fi
# Compiled now, so that the first `make run` is as quick as the second.
"$uv" sync --all-packages --compile-bytecode --quiet ${CI:+--locked}
touch .venv/.synced
