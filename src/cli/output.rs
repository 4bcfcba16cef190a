//! Writes the output to standard output, or to a file that is replaced only when all of it is written.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::args::{RedactArgs, RulesArgs};
use super::error::CliError;
use crate::input::atomic_file::{AtomicFile, StagedFile, USUAL_MODE, folder_of};
use crate::input::rotation::{RotatedName, RotationAge};

/// A file that the run reads or writes for another purpose, and a name of that purpose.
pub(crate) type UsedFile<'a> = (&'static str, &'a Path);

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
    inputs.iter().any(same) || inputs.iter().any(|input| is_part_of(path, input))
}

/// Whether the file is a rotated part of the log, by its name: it need not be read in this run.
fn is_part_of(path: &Path, log: &Path) -> bool {
    let names = [path, log].map(|path| path.file_name().and_then(|name| name.to_str()));
    let [Some(part), Some(log_name)] = names else { return false };
    let (part, log_part) = (RotatedName::read(part), RotatedName::read(log_name));
    let is_rotated = part.age != RotationAge::Current || part.is_packed;
    let folder = |path: &Path| fs::canonicalize(folder_of(path)).ok();
    is_rotated && part.log() == log_part.log() && folder(path).is_some_and(|own| Some(own) == folder(log))
}

/// An error if the file is one of the logs, so that no log is overwritten.
pub(crate) fn not_an_input(path: &Path, inputs: &[PathBuf]) -> Result<(), CliError> {
    if is_input(path, inputs) { Err(CliError::OutputIsInput { path: path.to_owned() }) } else { Ok(()) }
}

/// Those of the files that an option names; `-` is no file.
pub(crate) fn named<'a>(files: &[(&'static str, Option<&'a Path>)]) -> Vec<UsedFile<'a>> {
    files.iter().filter_map(|&(what, path)| Some((what, file(path)?))).collect()
}

/// The files that a command reads besides the logs.
pub(crate) fn read_files<'a>(rules: &'a RulesArgs, redact: &'a RedactArgs) -> Vec<UsedFile<'a>> {
    let own = rules.rules.iter().map(|path| ("a --rules file", path.as_path()));
    let config = rules.config_files.iter().map(|path| ("a configuration file", path.as_path()));
    let key = redact.redact_key_file.iter().map(|path| ("the key of --redact", path.as_path()));
    own.chain(config).chain(key).collect()
}

/// An error if one of the files to be written is one that the run reads, or is written twice.
pub(crate) fn check_used(written: &[UsedFile], read: &[UsedFile]) -> Result<(), CliError> {
    for (at, (_, path)) in written.iter().enumerate() {
        let others = written.iter().take(at).chain(read);
        if let Some((what, _)) = others.into_iter().find(|(_, other)| is_same(path, other)) {
            return Err(CliError::OutputIsUsed { path: (*path).to_owned(), what });
        }
    }
    Ok(())
}

/// Whether both names belong to one regular file, or would if it were there.
fn is_same(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(first), Ok(second)) => {
            first.is_file() && (first.dev(), first.ino()) == (second.dev(), second.ino())
        }
        (Err(_), Err(_)) => {
            let folders = [a, b].map(|path| fs::canonicalize(folder_of(path)));
            let [Ok(first), Ok(second)] = folders else { return false };
            a.file_name() == b.file_name() && first == second
        }
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

/// What a command wrote, and what is left to do. The staged file must be committed; if it is dropped, nothing was written.
pub(crate) type Prepared<T> = (T, Option<StagedFile>);

/// Calls `work` with the output. A file is written whole but not put into its place yet. `inputs` are the logs, none of which
/// can be the output.
pub(crate) fn prepare<T>(
    output: Option<&Path>,
    inputs: &[PathBuf],
    stdout: &mut (impl Write + Send),
    work: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, CliError>,
) -> Result<Prepared<T>, CliError> {
    let Some(path) = file(output) else { return work(stdout).map(|done| (done, None)) };
    let failed = CliError::write_file(path);
    not_an_input(path, inputs)?;
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        // A pipe or a device, such as /dev/null, must not be replaced by a file.
        let mut out = BufWriter::new(File::options().write(true).open(path).map_err(&failed)?);
        let result = work(&mut out)?;
        out.flush()?;
        return Ok((result, None));
    }
    let mut out = AtomicFile::create(path, USUAL_MODE).map_err(&failed)?;
    let result = work(&mut out).map_err(|error| match error {
        CliError::Write(source) => failed(source),
        other => other,
    })?;
    Ok((result, Some(out.stage().map_err(&failed)?)))
}

/// Puts files into their places.
pub(crate) fn commit(staged: impl IntoIterator<Item = StagedFile>) -> Result<(), CliError> {
    for file in staged {
        let failed = CliError::write_file(file.target());
        file.commit().map_err(failed)?;
    }
    Ok(())
}

/// Calls `work` with the output, and puts a file into its place when `work` has succeeded; until then the old file stays.
pub(crate) fn write<T>(
    output: Option<&Path>,
    inputs: &[PathBuf],
    stdout: &mut (impl Write + Send),
    work: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let (result, staged) = prepare(output, inputs, stdout, work)?;
    commit(staged)?;
    Ok(result)
}
