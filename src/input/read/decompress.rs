//! Decompresses gzip, bzip2, xz and zstd, and passes on plain text.

use std::io::{self, BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::{Action, Status, XzStream};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::compression::{Compression, MAGIC};
use super::peek::PeekReader;

/// The text of a file or a pipe. A compressed one may consist of several members (streams of bzip2 and xz, frames of zstd)
/// one after the other. Zeros between and behind them are padding, as on tapes.
pub struct Decoder {
    state: DecoderState,
    /// Detected by the first bytes. `None`: not read yet, or plain text.
    pub(crate) compression: Option<Compression>,
}

enum DecoderState {
    Before(PeekReader),
    Between(PeekReader),
    Plain(PeekReader),
    Gzip(Box<GzDecoder<PeekReader>>),
    Bzip2(BzDecoder<PeekReader>),
    Xz(Box<Xz>),
    Zstd(Box<Zstd>),
    /// With the number of raw bytes that were consumed.
    Ended(u64),
}

/// Output bytes of one decoder call. A decoder that finds damage loses the output of that call, so it is kept small. inflate
/// copies its window at the end of each call: 32 KiB are 7 % slower than 256 KiB, 64 KiB are 3 % slower.
const PIECE: usize = 64 << 10;

/// Memory limits, in KiB and in bytes: more than `xz -9` and `zstd --long` need, and no more than a mail server has.
const XZ_MEMORY: u32 = 256 << 10;
const ZSTD_WINDOW: u64 = 128 << 20;

impl Decoder {
    pub fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { state: DecoderState::Before(PeekReader::new(reader)), compression: None }
    }

    /// How many raw bytes were consumed so far.
    pub fn taken(&self) -> u64 {
        match &self.state {
            DecoderState::Before(raw) | DecoderState::Between(raw) | DecoderState::Plain(raw) => raw.taken,
            DecoderState::Gzip(member) => member.get_ref().taken,
            DecoderState::Bzip2(stream) => stream.get_ref().taken,
            DecoderState::Xz(stream) => stream.raw.taken,
            DecoderState::Zstd(frame) => frame.raw.taken,
            DecoderState::Ended(taken) => *taken,
        }
    }

    fn start_member(&mut self, compression: Compression, mut raw: PeekReader) -> io::Result<DecoderState> {
        self.compression.get_or_insert(compression);
        Ok(match compression {
            Compression::Gzip => DecoderState::Gzip(Box::new(GzDecoder::new(raw))),
            Compression::Bzip2 => DecoderState::Bzip2(BzDecoder::new(raw)),
            Compression::Xz => {
                DecoderState::Xz(Box::new(Xz { raw, stream: XzStream::new_mem_limit(false, XZ_MEMORY) }))
            }
            Compression::Zstd => DecoderState::Zstd(Box::new(Zstd::new(raw)?)),
            Compression::Skippable => {
                let mut head = [0; 8];
                raw.read_exact(&mut head)?;
                let [.., a, b, c, d] = head;
                let length = u64::from(u32::from_le_bytes([a, b, c, d]));
                if io::copy(&mut raw.by_ref().take(length), &mut io::sink())? < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                DecoderState::Between(raw)
            }
        })
    }

    /// Starts the next member, or the first. `Ended`: there is none.
    fn next_member(&mut self, mut raw: PeekReader) -> io::Result<DecoderState> {
        if self.compression.is_some() {
            while raw.peek(1)? == [0] {
                raw.consume(1);
            }
        }
        let first = raw.peek(MAGIC)?;
        match (Compression::of(first), first, self.compression) {
            (Some(compression), ..) => self.start_member(compression, raw),
            (None, [], _) => Ok(DecoderState::Ended(raw.taken)),
            (None, _, None) => Ok(DecoderState::Plain(raw)),
            (None, _, Some(_)) => Err(io::Error::other("the rest is not compressed and was ignored")),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let wanted = room.len();
        let piece = room.get_mut(..wanted.min(PIECE)).unwrap_or_default();
        loop {
            let count = match &mut self.state {
                DecoderState::Before(_) | DecoderState::Between(_) => 0,
                DecoderState::Plain(raw) => return raw.read(room),
                DecoderState::Gzip(member) => member.read(piece)?,
                DecoderState::Bzip2(stream) => stream.read(piece)?,
                DecoderState::Xz(stream) => stream.read(piece)?,
                DecoderState::Zstd(frame) => frame.read(piece)?,
                DecoderState::Ended(_) => return Ok(0),
            };
            if count > 0 || wanted == 0 {
                return Ok(count);
            }
            let taken = self.taken();
            let raw = match std::mem::replace(&mut self.state, DecoderState::Ended(taken)) {
                DecoderState::Before(raw) | DecoderState::Between(raw) | DecoderState::Plain(raw) => raw,
                DecoderState::Gzip(member) => member.into_inner(),
                DecoderState::Bzip2(stream) => stream.into_inner(),
                DecoderState::Xz(stream) => stream.raw,
                DecoderState::Zstd(frame) => frame.raw,
                DecoderState::Ended(_) => return Ok(0),
            };
            self.state = self.next_member(raw)?;
        }
    }
}

struct Xz {
    raw: PeekReader,
    stream: XzStream,
}

impl Read for Xz {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = self.raw.fill_buf()?;
            let action = if input.is_empty() { Action::Finish } else { Action::Run };
            let step = self.stream.process(input, room, action)?;
            let stuck = input.is_empty() && step.bytes_produced == 0;
            self.raw.consume(step.bytes_consumed);
            match step.status {
                _ if step.bytes_produced > 0 => return Ok(step.bytes_produced),
                Status::StreamEnd => return Ok(0),
                _ if stuck => return Err(io::ErrorKind::UnexpectedEof.into()),
                Status::Ok => {}
            }
        }
    }
}

struct Zstd {
    raw: PeekReader,
    frame: FrameDecoder,
    /// The error that ended the frame; returned after all text before it.
    broken: Option<io::Error>,
}

/// An empty raw last block (RFC 8878 §3.1.1.2), then a checksum, which is not verified.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

impl Zstd {
    fn new(mut raw: PeekReader) -> io::Result<Self> {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(ZSTD_WINDOW);
        frame.init(&mut raw).map_err(io::Error::other)?;
        Ok(Self { raw, frame, broken: None })
    }
}

impl Read for Zstd {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let one = || BlockDecodingStrategy::UptoBlocks(1);
        while self.frame.can_collect() == 0 && !self.frame.is_finished() {
            if let Err(error) = self.frame.decode_blocks(&mut self.raw, one()) {
                self.broken = Some(io::Error::other(error));
                // The decoder holds back megabytes that later blocks may refer to; a last block releases them.
                self.frame.decode_blocks(&LAST_BLOCK[..], one()).map_err(io::Error::other)?;
            }
        }
        match self.frame.read(room)? {
            0 if room.is_empty() => Ok(0),
            0 => match self.broken.take() {
                Some(error) => Err(error),
                None if self.frame.get_checksum_from_data().is_some_and(|written| {
                    self.frame.get_calculated_checksum().is_some_and(|counted| counted != written)
                }) =>
                {
                    Err(io::Error::other("checksum mismatch"))
                }
                None => Ok(0),
            },
            count => Ok(count),
        }
    }
}
