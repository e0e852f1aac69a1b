#![no_main]

mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::check(20, data));
