# What CI runs, one command each. `just --list` shows them.

export CARGO_TARGET_DIR := env("CARGO_TARGET_DIR", "target")

# Everything that gates a change.
check: fmt clippy imports bare test

fmt:
    cargo fmt --all --check

clippy:
    cargo clippy --workspace --all-targets -- -D warnings

imports:
    .ci/imports.sh

# The messages and their codec without standard library and allocator: for a bare-metal target, and tested on this machine.
bare:
    .ci/bare.sh

test:
    cargo test --workspace --tests

# Writes docs/messages.md and docs/messages/ anew.
docs:
    UPDATE_DOCS=1 cargo test -p masa-v2x-proto --test it message_docs

# Writes v2x-proto/proto anew; refuses when a number would change its meaning.
schemas:
    UPDATE_SCHEMAS=1 cargo test -p masa-v2x-proto --test it protobuf_schema

# Figures of the whole path beside a plain Python pipeline (needs the test data; see benches/README.md).
bench *args:
    cargo run --release -p masa-benches --bin pipeline -- {{ args }}

# Fuzzes one decoder for a while (needs cargo-fuzz and a nightly compiler); results belong in docs/fuzzing.md.
fuzz target seconds:
    cd v2x-proto && CARGO_TARGET_DIR=fuzz/target cargo +nightly fuzz run {{ target }} -- -max_total_time={{ seconds }} -rss_limit_mb=1024 -timeout=10 -max_len=4096 -print_final_stats=1
