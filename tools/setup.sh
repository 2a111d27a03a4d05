#!/usr/bin/env bash
# Makes the development environment: a virtual environment in the cache, keyed by the lock file, and .venv pointing at it.
# Several checkouts share it; an interrupted run is started again from nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "modelyard needs Python 3.11 or newer; $("$python" --version 2>&1) was found. Name another one: make setup PYTHON=python3.12" >&2
  exit 1
}
"$python" -c 'import venv, ensurepip' 2>/dev/null || {
  echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2
  exit 1
}
cache=${MODELYARD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/modelyard}
version=$("$python" -c 'import platform; print(platform.python_version())')
key=$(sha256sum requirements/dev.txt | cut -c1-12)
target=$cache/venv-$version-$key
mkdir -p "$cache"
exec 9>"$cache/venv.lock"
flock 9
if [ ! -e "$target/complete" ]; then
  echo "installing the development environment into $target"
  # Scripts in a virtual environment name its path, so it cannot be renamed: a file written last says that it is whole.
  rm -rf "$target"
  "$python" -m venv "$target"
  "$target/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
  touch "$target/complete"
fi
ln -sfn "$target" .venv
