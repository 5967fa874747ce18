#![no_main]
//! libFuzzer on [`ecs_etl_fuzz::manifests`].

libfuzzer_sys::fuzz_target!(|input: &[u8]| ecs_etl_fuzz::manifests::check(input));
