//! Any bytes as a state file and as a baseline: either they are refused and stay as they are, or what is saved reads back.

use std::fs;
use std::path::Path;

use smtplog::internals::input::checkpoint::state_file::StateFile;
use smtplog::internals::scan::baseline;

/// Opens the bytes as either file, and saves what was read.
pub fn check(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    for (name, check) in [("state", state as fn(&Path) -> bool), ("baseline", history)] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("there is space for a small file");
        let is_read = check(&path);
        let after = fs::read(&path).expect("the file is still there");
        assert!(is_read || after == bytes, "a {name} that was refused was changed");
    }
}

fn state(path: &Path) -> bool {
    let Ok(state) = StateFile::open(path) else { return false };
    // An empty file is one that no run has saved to yet.
    if state.is_new() {
        return true;
    }
    let known = state.known.clone();
    state.save(known.clone()).expect("the folder can be written to");
    let again = StateFile::open(path).expect("what was saved is read");
    assert_eq!(again.known, known);
    true
}

fn history(path: &Path) -> bool {
    let Ok(opened) = baseline::open(path, &[], false) else { return false };
    opened.save().expect("the folder can be written to");
    let history = opened.history.clone();
    drop(opened);
    let again = baseline::open(path, &[], true).expect("what was saved is read");
    assert_eq!(again.history, history);
    true
}
