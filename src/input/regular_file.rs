//! Opens regular files only, and never waits: a name may come to belong to a FIFO at any moment.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::stop_point::stop_point;

/// Opens a file for reading. What is not a regular file is an error; a FIFO without a writer would block the caller
/// forever.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    stop_point();
    // The flags change nothing for a regular file.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

pub(crate) fn not_regular() -> io::Error {
    io::Error::other("not a regular file")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn opens_no_fifo_no_folder_and_no_device() {
        let folder = tempfile::tempdir().unwrap();
        let (file, fifo) = (folder.path().join("file"), folder.path().join("fifo"));
        std::fs::write(&file, "text").unwrap();
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        assert!(open_regular(&file).is_ok());
        for other in [fifo.as_path(), folder.path(), Path::new("/dev/null")] {
            assert_eq!(open_regular(other).unwrap_err().to_string(), "not a regular file", "{other:?}");
        }
    }
}
