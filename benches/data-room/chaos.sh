#!/usr/bin/env bash
# The chaos run of the data room: ten minutes at 500 messages a second, with the embedded store and with PostgreSQL.
# chaos.sh [SECONDS [RATE [SEED]]]
set -euo pipefail
cd "$(dirname "$0")/../.."
export MASA_CHAOS_SECONDS=${1:-600} MASA_CHAOS_RATE=${2:-500} MASA_CHAOS_SEED=${3:-1}
cargo test --release -p masa-data-room --test chaos -- --nocapture --test-threads 1
