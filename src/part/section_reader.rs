//! Decompresses and parses the sections of a part.

use std::io::Read;

use flate2::bufread::GzDecoder;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use super::error::PartError;
use super::head::SectionEntry;

/// Deflate makes at most 1,032 bytes of one.
const LARGEST_RATIO: usize = 1_032;

/// The sections of one part.
pub(super) struct SectionReader<'a> {
    entries: &'a [SectionEntry],
    bytes: &'a [u8],
    /// One for all sections: to make its window takes longer than to decompress a small section.
    decoder: GzDecoder<&'a [u8]>,
    unpacked: Vec<u8>,
    scratch: Vec<u8>,
}

/// Bytes of the buffer in which CBOR waits.
const SCRATCH: usize = 4 << 10;

impl<'a> SectionReader<'a> {
    pub(super) fn new(entries: &'a [SectionEntry], bytes: &'a [u8]) -> Self {
        let decoder = GzDecoder::new(<&[u8]>::default());
        Self { entries, bytes, decoder, unpacked: Vec::new(), scratch: vec![0; SCRATCH] }
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
        if format!("{:016x}", xxh3_64(packed)) != entry.xxh3 {
            return Err(damaged("the checksum of a section is wrong"));
        }
        if entry.bytes / LARGEST_RATIO > entry.packed {
            return Err(damaged("a section is longer than it can be"));
        }
        self.decoder.reset(packed);
        self.unpacked.clear();
        self.unpacked.reserve(entry.bytes.min(64 << 20));
        // One byte more, so that a longer section is seen.
        let mut reader = (&mut self.decoder).take(entry.bytes as u64 + 1);
        reader.read_to_end(&mut self.unpacked).map_err(|_| damaged("a section cannot be decompressed"))?;
        if self.unpacked.len() != entry.bytes {
            return Err(damaged("a section has another length than the first line says"));
        }
        ciborium::de::from_reader_with_buffer(&*self.unpacked, &mut self.scratch)
            .map_err(|_| damaged("a section holds what it should not"))
    }
}
