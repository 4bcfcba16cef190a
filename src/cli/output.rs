//! Where an answer goes, and in which form: standard output, or a file that is whole or not there.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::CliError;
use crate::input::atomic_file::{AtomicFile, USUAL_MODE};

/// The file that was asked for. None: standard output.
pub(crate) fn file(output: Option<&Path>) -> Option<&Path> {
    output.filter(|path| *path != Path::new("-"))
}

/// The file is one of the logs, by whatever name: a second link to it is the log too.
pub(crate) fn is_input(path: &Path, inputs: &[PathBuf]) -> bool {
    let Some(file) = fs::metadata(path).ok().filter(fs::Metadata::is_file) else { return false };
    let same = |input: &PathBuf| {
        let input = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
        fs::metadata(input).is_ok_and(|input| (input.dev(), input.ino()) == (file.dev(), file.ino()))
    };
    inputs.iter().any(same)
}

/// None of the logs may be written over.
pub(crate) fn not_an_input(path: &Path, inputs: &[PathBuf]) -> Result<(), CliError> {
    if is_input(path, inputs) { Err(CliError::OutputIsInput { path: path.to_owned() }) } else { Ok(()) }
}

/// Writes the answer where it is to go. A file gets its name when all of it is written: until then, and if `work`
/// fails, what was there before stays. `inputs` are read while we write, so none of them can be the output.
pub(crate) fn write<T>(
    output: Option<&Path>,
    inputs: &[PathBuf],
    stdout: &mut (impl Write + Send),
    work: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let Some(path) = file(output) else { return work(stdout) };
    let failed = CliError::write_file(path);
    // The link stays a link: what it leads to is replaced.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    not_an_input(path, inputs)?;
    if fs::metadata(&place).is_ok_and(|metadata| !metadata.is_file()) {
        // A pipe or a device, such as /dev/null, must not be replaced by a file.
        let mut out = BufWriter::new(File::options().write(true).open(&place).map_err(&failed)?);
        let answer = work(&mut out)?;
        out.flush()?;
        return Ok(answer);
    }
    let mut out = AtomicFile::create(&place, USUAL_MODE).map_err(&failed)?;
    let answer = work(&mut out).map_err(|error| match error {
        CliError::Write(source) => failed(source),
        other => other,
    })?;
    out.commit().map_err(&failed)?;
    Ok(answer)
}
