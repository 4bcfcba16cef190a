//! Copies a pipe or the journal, which can be read only once, to a temporary file.

use std::io::Write;
use std::sync::Arc;

use super::error::CliError;
use crate::input::error::InputError;
use crate::input::read::block::Block;
use crate::input::read::{HeapSize, Progress, ReadOptions, Source, each_block};
use crate::input::source::{FileId, SourceOrigin};

/// The lines of one block, each with its newline.
struct CopiedLines(Vec<u8>);

impl HeapSize for CopiedLines {
    fn held_bytes(&self) -> usize {
        self.0.len()
    }
}

/// Copies each source that cannot be read again, decompressed, into TMPDIR, and lets it read from there. The copies have no
/// names, so that none of them outlives this process, however it ends. Returns the errors of reading.
pub(crate) fn copy_streams(sources: &mut [Source], manner: ReadOptions) -> Result<Vec<InputError>, CliError> {
    let mut problems = Vec::new();
    for source in sources.iter_mut().filter(|source| !source.can_be_read_again()) {
        let mut file = tempfile::tempfile().map_err(CliError::TempCopy)?;
        let mut written = Ok(());
        let fold = |lines: CopiedLines| {
            if written.is_ok() {
                written = file.write_all(&lines.0);
            }
        };
        // A line that is too long is cut off without its newline.
        let work = |(): &mut (), block: &Block| {
            let mut lines = block.lines.to_vec();
            if lines.last().is_some_and(|&byte| byte != b'\n') {
                lines.push(b'\n');
            }
            CopiedLines(lines)
        };
        let one = ReadOptions { threads: 1, ..manner };
        let only = std::slice::from_ref(source);
        problems.extend(each_block(only, one, &Progress::default(), || (), work, fold)?.problems);
        written.and_then(|()| file.flush()).map_err(CliError::TempCopy)?;
        source.origin = SourceOrigin::File(FileId::of(&file.metadata().map_err(CliError::TempCopy)?));
        source.file = Some(Arc::new(file));
    }
    Ok(problems)
}
