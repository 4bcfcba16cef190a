//! Writes the output to standard output, or to a file that is replaced only when all of it is written.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::CliError;
use crate::input::atomic_file::{AtomicFile, USUAL_MODE};

/// The file of `--output`. `None`: standard output.
pub(crate) fn file(output: Option<&Path>) -> Option<&Path> {
    output.filter(|path| *path != Path::new("-"))
}

/// Whether the file is one of the logs, under any name: compares device and inode.
pub(crate) fn is_input(path: &Path, inputs: &[PathBuf]) -> bool {
    let Some(file) = fs::metadata(path).ok().filter(fs::Metadata::is_file) else { return false };
    let same = |input: &PathBuf| {
        let input = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
        fs::metadata(input).is_ok_and(|input| (input.dev(), input.ino()) == (file.dev(), file.ino()))
    };
    inputs.iter().any(same)
}

/// An error if the file is one of the logs, so that no log is overwritten.
pub(crate) fn not_an_input(path: &Path, inputs: &[PathBuf]) -> Result<(), CliError> {
    if is_input(path, inputs) { Err(CliError::OutputIsInput { path: path.to_owned() }) } else { Ok(()) }
}

/// Calls `work` with the output. A file is replaced when `work` has succeeded; until then the old file stays. `inputs` are the
/// logs, none of which can be the output.
pub(crate) fn write<T>(
    output: Option<&Path>,
    inputs: &[PathBuf],
    stdout: &mut (impl Write + Send),
    work: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let Some(path) = file(output) else { return work(stdout) };
    let failed = CliError::write_file(path);
    // A symbolic link stays: its target is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    not_an_input(path, inputs)?;
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        // A pipe or a device, such as /dev/null, must not be replaced by a file.
        let mut out = BufWriter::new(File::options().write(true).open(&target).map_err(&failed)?);
        let result = work(&mut out)?;
        out.flush()?;
        return Ok(result);
    }
    let mut out = AtomicFile::create(&target, USUAL_MODE).map_err(&failed)?;
    let result = work(&mut out).map_err(|error| match error {
        CliError::Write(source) => failed(source),
        other => other,
    })?;
    out.commit().map_err(&failed)?;
    Ok(result)
}
