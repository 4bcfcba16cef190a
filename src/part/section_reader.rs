//! Decompresses and parses the sections of a part.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, GzDecoder};
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use super::error::PartError;
use super::head::{SectionEntry, SectionForm};

/// Deflate makes at most 1,032 bytes of one.
const LARGEST_RATIO: usize = 1_032;

/// The sections of one part.
pub(super) struct SectionReader<'a> {
    entries: &'a [SectionEntry],
    bytes: &'a [u8],
    /// One for all sections: to make its window takes longer than to decompress a small section.
    deflate: DeflateDecoder<&'a [u8]>,
    unpacked: Vec<u8>,
    scratch: Vec<u8>,
}

/// Bytes of the buffer in which CBOR waits.
const SCRATCH: usize = 4 << 10;

impl<'a> SectionReader<'a> {
    pub(super) fn new(entries: &'a [SectionEntry], bytes: &'a [u8]) -> Self {
        let deflate = DeflateDecoder::new(<&[u8]>::default());
        Self { entries, bytes, deflate, unpacked: Vec::new(), scratch: vec![0; SCRATCH] }
    }

    pub(super) fn get<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, PartError> {
        self.find(name)?.ok_or(PartError::Damaged { what: "a section is missing" })
    }

    /// `None`: the part has no such section.
    pub(super) fn find<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, PartError> {
        let mut start = 0;
        for entry in self.entries {
            if entry.name == name {
                let packed = self.bytes.get(start..start + entry.packed).unwrap_or_default();
                return self.unpack(packed, entry).map(Some);
            }
            start += entry.packed;
        }
        Ok(None)
    }

    fn unpack<T: DeserializeOwned>(
        &mut self,
        packed: &'a [u8],
        entry: &SectionEntry,
    ) -> Result<T, PartError> {
        let damaged = |what| PartError::Damaged { what };
        if entry.xxh3 != format!("{:016x}", xxh3_64(packed)) {
            return Err(damaged("the checksum of a section is wrong"));
        }
        if entry.bytes / LARGEST_RATIO > entry.packed {
            return Err(damaged("a section is longer than it can be"));
        }
        let unpacked = match entry.form {
            SectionForm::Plain => packed,
            SectionForm::Deflate => {
                self.deflate.reset(packed);
                read_all(&mut self.deflate, entry.bytes, &mut self.unpacked)?;
                &self.unpacked
            }
            SectionForm::Gzip => {
                read_all(&mut GzDecoder::new(packed), entry.bytes, &mut self.unpacked)?;
                &self.unpacked
            }
        };
        if unpacked.len() != entry.bytes {
            return Err(damaged("a section has another length than the first line says"));
        }
        ciborium::de::from_reader_with_buffer(unpacked, &mut self.scratch)
            .map_err(|_| damaged("a section holds what it should not"))
    }
}

/// Decompresses a section of this length, or one byte more of a longer one.
fn read_all(decoder: &mut impl Read, bytes: usize, unpacked: &mut Vec<u8>) -> Result<(), PartError> {
    unpacked.clear();
    unpacked.reserve(bytes.min(64 << 20) + 1);
    let read = decoder.take(bytes as u64 + 1).read_to_end(unpacked);
    read.map(|_| ()).map_err(|_| PartError::Damaged { what: "a section cannot be decompressed" })
}
