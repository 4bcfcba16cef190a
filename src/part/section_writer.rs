//! Writes the sections of a part one after another, each as CBOR, compressed if that makes it shorter.

use std::io::{self, Write};
use std::path::Path;

use flate2::{Compress, Compression, FlushCompress, Status};
use serde::Serialize;
use tempfile::{SpooledTempFile, spooled_tempfile_in};
use xxhash_rust::xxh3::Xxh3;

use super::head::{SectionEntry, SectionForm};

/// Bytes of packed sections that are kept in memory. A larger part waits in a file without a name, in the folder of the part.
const IN_MEMORY: usize = 1 << 20;

/// Bytes of a section that are compressed at once. Each head and each key of CBOR is written by itself.
const CHUNK: usize = 64 << 10;

/// A section of fewer bytes is not worth compressing.
const SHORT: usize = 256;

/// Sections that are being packed.
pub(super) struct SectionWriter {
    entries: Vec<SectionEntry>,
    packed: SpooledTempFile,
    /// One for all sections: to make its tables takes longer than to compress a small section.
    compress: Compress,
    /// Bytes that are not packed yet, and packed ones that are not written.
    waiting: Vec<u8>,
    compressed: Vec<u8>,
}

impl SectionWriter {
    pub(super) fn new(folder: Option<&Path>) -> Self {
        let packed = folder.map(|folder| spooled_tempfile_in(IN_MEMORY, folder));
        Self {
            entries: Vec::new(),
            packed: packed.unwrap_or_else(|| SpooledTempFile::new(usize::MAX)),
            compress: Compress::new(Compression::fast(), false),
            waiting: Vec::new(),
            compressed: Vec::with_capacity(CHUNK),
        }
    }

    pub(super) fn add(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.pack(name, value, SectionForm::Deflate, false)
    }

    pub(super) fn add_some(&mut self, name: &str, value: Option<&impl Serialize>) -> io::Result<()> {
        value.map_or(Ok(()), |value| self.add(name, value))
    }

    /// Adds a section that is mostly hashes, which nothing makes shorter.
    pub(super) fn add_hashes(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.pack(name, value, SectionForm::Plain, false)
    }

    /// Adds a section of many names, which is compressed only if it is small: deflate would halve it, for as much time as all
    /// else that makes a part of it.
    pub(super) fn add_names(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.pack(name, value, SectionForm::Deflate, true)
    }

    fn pack(
        &mut self,
        name: &str,
        value: &impl Serialize,
        form: SectionForm,
        is_plain_if_large: bool,
    ) -> io::Result<()> {
        self.compress.reset();
        let hash = Xxh3::new();
        let mut packer = Packer { section: self, form, is_plain_if_large, bytes: 0, packed: 0, hash };
        ciborium::into_writer(value, &mut packer).map_err(|error| io::Error::other(error.to_string()))?;
        packer.finish()?;
        let Packer { form, bytes, packed, hash, .. } = packer;
        let xxh3 = format!("{:016x}", hash.digest());
        self.entries.push(SectionEntry { name: name.to_owned(), packed, bytes, xxh3, form });
        Ok(())
    }

    /// The entries of the sections, and the sections.
    pub(super) fn finish(self) -> (Vec<SectionEntry>, SpooledTempFile) {
        (self.entries, self.packed)
    }
}

/// Packs one section.
struct Packer<'a> {
    section: &'a mut SectionWriter,
    form: SectionForm,
    is_plain_if_large: bool,
    bytes: usize,
    packed: usize,
    hash: Xxh3,
}

impl Packer<'_> {
    fn finish(&mut self) -> io::Result<()> {
        if self.bytes < SHORT {
            self.form = SectionForm::Plain;
        }
        self.pack_waiting(FlushCompress::Finish)
    }

    fn pack_waiting(&mut self, flush: FlushCompress) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.section.waiting);
        match self.form {
            SectionForm::Plain => self.put(&waiting)?,
            SectionForm::Deflate | SectionForm::Gzip => self.deflate(&waiting, flush)?,
        }
        self.section.waiting = waiting;
        self.section.waiting.clear();
        Ok(())
    }

    fn deflate(&mut self, bytes: &[u8], flush: FlushCompress) -> io::Result<()> {
        let before = self.section.compress.total_in();
        loop {
            let SectionWriter { compress, compressed, .. } = &mut *self.section;
            let done = (compress.total_in() - before) as usize;
            let left = bytes.get(done..).unwrap_or_default();
            let status = compress.compress_vec(left, compressed, flush).map_err(io::Error::other)?;
            let is_done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => (compress.total_in() - before) as usize == bytes.len(),
            };
            let compressed = std::mem::take(compressed);
            self.put(&compressed)?;
            self.section.compressed = compressed;
            self.section.compressed.clear();
            if is_done {
                return Ok(());
            }
        }
    }

    /// Writes packed bytes.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.packed += bytes.len();
        self.hash.update(bytes);
        self.section.packed.write_all(bytes)
    }
}

impl Write for Packer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len();
        if self.is_plain_if_large && self.packed == 0 && self.bytes >= CHUNK {
            self.form = SectionForm::Plain;
        }
        if bytes.len() >= CHUNK && self.form == SectionForm::Plain {
            self.pack_waiting(FlushCompress::None)?;
            self.put(bytes)?;
            return Ok(bytes.len());
        }
        self.section.waiting.extend_from_slice(bytes);
        if self.section.waiting.len() >= CHUNK {
            self.pack_waiting(FlushCompress::None)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
