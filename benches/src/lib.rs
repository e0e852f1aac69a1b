//! Measurements against peers and limits; each is a program under `src/bin`, see `README.md`.
