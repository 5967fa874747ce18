#![no_main]
//! libFuzzer on [`ecs_etl_fuzz::emulator`].

libfuzzer_sys::fuzz_target!(|input: &[u8]| ecs_etl_fuzz::emulator::check(input));
