#!/usr/bin/env bash
# v2x-proto without standard library and allocator: built for a bare-metal target where rustup has or gets one, and
# tested on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
target=thumbv7em-none-eabihf
if rustup target list --installed 2>/dev/null | grep -qx "$target" || rustup target add "$target" 2>/dev/null; then
  cargo build --package masa-v2x-proto --no-default-features --target "$target"
else
  echo "skipped: build for $target: the target is not installed"
fi
cargo clippy --package masa-v2x-proto --no-default-features -- -D warnings
cargo test --package masa-v2x-proto --no-default-features --lib --test bare
