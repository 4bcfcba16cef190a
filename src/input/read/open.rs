//! Opens a source: an uncompressed file for reading by position, everything else as a stream.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::compression::{Compression, MAGIC};
use super::seekable::SeekableFile;
use super::stream::Stream;
use crate::input::error::InputError;
use crate::input::journal;
use crate::input::regular_file::open_regular;
use crate::input::source::{FileId, Source, SourceOrigin};

/// An open source.
pub(crate) enum OpenedSource {
    Plain(Arc<SeekableFile>),
    Stream(Box<Stream>),
}

/// Opens a source. A file is recognized as compressed by its first bytes.
pub(crate) fn open(source: &Source) -> Result<OpenedSource, InputError> {
    let path = &source.path;
    let failed = |error| source.cannot_open(error);
    let stream = |reader| Ok(OpenedSource::Stream(Box::new(Stream::new(reader))));
    match source.origin {
        SourceOrigin::Stdin => stream(Box::new(io::stdin())),
        SourceOrigin::Journal(bounds) => {
            stream(Box::new(journal::open(bounds, source.cursor.clone()).map_err(failed)?))
        }
        SourceOrigin::Pipe => stream(Box::new(File::open(path).map_err(failed)?)),
        SourceOrigin::File(id) => {
            let file = match &source.file {
                Some(file) => file.try_clone().map_err(failed)?,
                None => open_listed(path, id).map_err(failed)?,
            };
            let mut first = [0; MAGIC];
            let count = file.read_at(&mut first, 0).map_err(failed)?;
            if Compression::of(first.get(..count).unwrap_or_default()).is_some() {
                // The duplicate shares its position with the original, which may have been read.
                (&file).rewind().map_err(failed)?;
                let from = source.within.map_or(0, |(from, _)| from);
                return Ok(OpenedSource::Stream(Box::new(Stream::new(Box::new(file)).from(from))));
            }
            let size = file.metadata().map_err(failed)?.len();
            if size == 0 && count > 0 {
                // The size of a file of /proc is not known.
                (&file).rewind().map_err(failed)?;
                return stream(Box::new(file));
            }
            Ok(OpenedSource::Plain(Arc::new(SeekableFile::new(file, size, source.within))))
        }
    }
}

/// Opens a source to be read from front to back, also an uncompressed file.
pub(crate) fn open_stream(source: &Source) -> Result<Stream, InputError> {
    let plain = match open(source)? {
        OpenedSource::Stream(stream) => return Ok(*stream),
        OpenedSource::Plain(plain) => plain,
    };
    let mut file = plain.file.try_clone().map_err(|error| source.cannot_open(error))?;
    // The duplicate shares its position with the original, which may have been read.
    file.rewind().map_err(|error| source.cannot_open(error))?;
    Ok(Stream::new(Box::new(file.take(plain.size))))
}

/// Opens the file that was listed, even if it was renamed in its folder since. Some file systems give a file a new inode
/// each time: if no file has the inode, the one with the name is taken.
fn open_listed(path: &Path, id: FileId) -> io::Result<File> {
    let is_it = |file: &File| file.metadata().is_ok_and(|metadata| FileId::of(&metadata) == id);
    let named = match open_regular(path) {
        Ok(file) if is_it(&file) => return Ok(file),
        Ok(file) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        Err(error) => return Err(error),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let renamed = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    renamed
        .filter(|entry| entry.metadata().is_ok_and(|metadata| FileId::of(&metadata) == id))
        .find_map(|entry| open_regular(&entry.path()).ok().filter(is_it))
        .map_or(named, Ok)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn follows_a_file_that_is_rotated_before_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (current, older) = (folder.path().join("mail.log"), folder.path().join("mail.log.1"));
        fs::write(&current, "old").unwrap();
        let id = FileId::of(&fs::metadata(&current).unwrap());
        fs::rename(&current, &older).unwrap();
        fs::write(&current, "new").unwrap();
        let mut text = String::new();
        open_listed(&current, id).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "old");
        fs::remove_file(&current).unwrap();
        assert!(open_listed(&current, id).is_ok());
        fs::rename(&older, tempfile::tempdir().unwrap().path().join("elsewhere")).unwrap();
        assert_eq!(open_listed(&current, id).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
