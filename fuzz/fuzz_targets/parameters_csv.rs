#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quanfu_testkit::fuzz::parameters_csv(data));
