//! Properties that hold for any bytes. libFuzzer runs each of them by a target in `fuzz_targets/`; the module `fuzz` of
//! the integration tests includes this file, and runs them all over `fuzz/seeds/`.

pub mod decompress;

pub mod line;
pub mod log;
pub mod part;
pub mod program;
pub mod rules;
pub mod sanitize;
pub mod state;
pub mod time;
pub mod ways;
pub mod words;
pub mod wrapper;

/// A property: it panics if the bytes break it.
pub type Property = fn(&[u8]);

/// Each target by its name.
pub const TARGETS: [(&str, Property); 11] = [
    ("decompress", decompress::check),
    ("line", line::check),
    ("log", log::check),
    ("part", part::check),
    ("rules", rules::check),
    ("sanitize", sanitize::check),
    ("state", state::check),
    ("time", time::check),
    ("ways", ways::check),
    ("words", words::check),
    ("wrapper", wrapper::check),
];
