//! Content encodings undone within a hard bound, as Python's `zlib.decompressobj` does it.

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// What stands around the compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// The header and the checksum of gzip.
    Gzip,
    /// Those of zlib, as the standard has it.
    Zlib,
    /// Nothing, as some servers have it.
    Nothing,
}

/// What came out.
#[derive(Debug, PartialEq, Eq)]
pub struct Inflated {
    /// At most one byte more than the limit.
    pub data: Vec<u8>,
    /// Whether the end of the data was reached, its checksum included.
    pub whole: bool,
}

/// Of a gzip file; nobody sends more.
const MEMBERS_MAX: usize = 1000;

/// A header, as far as it is needed.
enum Header {
    /// It ends here.
    Ends(usize),
    /// It is cut.
    Unfinished,
    /// It is none.
    Wrong,
}

/// Decompress data to at most `limit + 1` bytes, all members of a gzip file; None if the first of them is
/// broken before that.
#[must_use]
pub fn inflate(data: &[u8], wrapping: Wrapping, limit: usize) -> Option<Inflated> {
    let most = limit + 1;
    let (mut out, mut rest) = (Vec::new(), data);
    for _ in 0..MEMBERS_MAX {
        let Some((member, end)) = inflate_member(rest, wrapping, most - out.len()) else {
            // Something else follows, or it was nothing from the beginning.
            return (!out.is_empty()).then_some(Inflated {
                data: out,
                whole: false,
            });
        };
        if out.is_empty() {
            out = member;
        } else {
            out.extend_from_slice(&member);
        }
        let has_ended = end.is_some();
        rest = end.map_or(&[][..], |end| &rest[end..]);
        if rest.is_empty() || out.len() >= most {
            return Some(Inflated {
                data: out,
                whole: has_ended && rest.is_empty(),
            });
        }
    }
    Some(Inflated {
        data: out,
        whole: false,
    })
}

/// Return the output of one member, and where it ends if it does; None if it is broken.
fn inflate_member(data: &[u8], wrapping: Wrapping, most: usize) -> Option<(Vec<u8>, Option<usize>)> {
    let header = match wrapping {
        Wrapping::Gzip => gzip_header(data),
        Wrapping::Zlib => zlib_header(data),
        Wrapping::Nothing => Header::Ends(0),
    };
    let start = match header {
        Header::Ends(start) => start,
        Header::Unfinished => return Some((Vec::new(), None)),
        Header::Wrong => return None,
    };
    let (out, end) = inflate_raw(&data[start..], most)?;
    let Some(end) = end.map(|end| start + end) else {
        return Some((out, None));
    };
    let end = match wrapping {
        Wrapping::Gzip => {
            let [sum, size] = gzip_trailer(&out);
            checked(data, end, sum)?.map_or(Some(None), |end| checked(data, end, size))?
        }
        Wrapping::Zlib => checked(data, end, adler32(&out).to_be_bytes())?,
        Wrapping::Nothing => Some(end),
    };
    Some((out, end))
}

/// Return the output, and where the compressed data ends if it does.
fn inflate_raw(data: &[u8], most: usize) -> Option<(Vec<u8>, Option<usize>)> {
    let mut inflater = Decompress::new(false);
    let mut out = vec![0; most];
    // `Finish` makes one go of it, in which a reference before the beginning is an error as in zlib.
    let status = inflater.decompress(data, &mut out, FlushDecompress::Finish);
    let written = usize::try_from(inflater.total_out()).ok()?.min(most);
    let read = usize::try_from(inflater.total_in()).ok()?;
    out.truncate(written);
    match status {
        Ok(Status::StreamEnd) => Some((out, Some(read))),
        Ok(Status::Ok | Status::BufError) => Some((out, None)),
        Err(_) => (written == most && goes_on(data, most)).then_some((out, None)),
    }
}

/// Tell whether more than `most` bytes come out when no reference reaches too far back: zlib looks at a
/// reference only once there is room for what it stands for.
fn goes_on(data: &[u8], most: usize) -> bool {
    let mut inflater = Decompress::new(false);
    let mut out = vec![0; most + 1];
    let mut read = 0;
    loop {
        let written = usize::try_from(inflater.total_out()).unwrap_or(usize::MAX);
        if written > most {
            return true;
        }
        let status = inflater.decompress(&data[read..], &mut out[written..], FlushDecompress::None);
        let after = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
        let has_moved = after > read || inflater.total_out() > u64::try_from(written).unwrap_or(u64::MAX);
        read = after.min(data.len());
        if !matches!(status, Ok(Status::Ok)) || !has_moved {
            return inflater.total_out() > u64::try_from(most).unwrap_or(u64::MAX);
        }
    }
}

/// Return where a checksum ends, if it is there; None if it is another one.
#[expect(clippy::option_option, reason = "broken, cut, or there")]
fn checked(data: &[u8], at: usize, expected: [u8; 4]) -> Option<Option<usize>> {
    let end = at + expected.len();
    let Some(found) = data.get(at..end) else {
        return Some(None);
    };
    (*found == expected).then_some(Some(end))
}

/// Return the checksum and the size of what came out.
fn gzip_trailer(data: &[u8]) -> [[u8; 4]; 2] {
    let mut crc = Crc::new();
    crc.update(data);
    [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()]
}

fn adler32(data: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (mut low, mut high) = (1_u32, 0_u32);
    for part in data.chunks(5552) {
        for &byte in part {
            low += u32::from(byte);
            high += low; // of 5552 bytes it stays below 2^32
        }
        low %= BASE;
        high %= BASE;
    }
    high << 16 | low
}

fn zlib_header(data: &[u8]) -> Header {
    let &[method, flags, ..] = data else {
        return Header::Unfinished;
    };
    let is_valid = (u32::from(method) << 8 | u32::from(flags)) % 31 == 0
        && method & 15 == 8
        && method >> 4 <= 7
        && flags & 0x20 == 0; // a dictionary, which nobody has
    if is_valid {
        Header::Ends(2)
    } else {
        Header::Wrong
    }
}

fn gzip_header(data: &[u8]) -> Header {
    if data.len() < 2 {
        return Header::Unfinished;
    }
    if data[..2] != [0x1f, 0x8b] {
        return Header::Wrong;
    }
    let Some(&[method, flags]) = data.get(2..4) else {
        return Header::Unfinished;
    };
    if method != 8 || flags & 0xe0 != 0 {
        return Header::Wrong;
    }
    match after_names(data, flags) {
        None => Header::Unfinished,
        Some(end) if flags & 2 == 0 => Header::Ends(end),
        Some(end) => {
            let mut crc = Crc::new();
            crc.update(&data[..end]);
            match data.get(end..end + 2) {
                None => Header::Unfinished,
                Some(sum) if *sum == crc.sum().to_le_bytes()[..2] => Header::Ends(end + 2),
                Some(_) => Header::Wrong,
            }
        }
    }
}

/// Return where the optional parts of a gzip header end: extra field, file name, comment.
fn after_names(data: &[u8], flags: u8) -> Option<usize> {
    let mut at = 10;
    if flags & 4 != 0 {
        let size = data.get(at..at + 2)?;
        at += 2 + usize::from(u16::from_le_bytes([size[0], size[1]]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += memchr::memchr(0, data.get(at..)?)? + 1;
        }
    }
    (at <= data.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::{adler32, inflate, Inflated, Wrapping};

    /// `TEXT` as Python's zlib compresses it.
    const RAW: [u8; 10] = *b"\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01";
    const TEXT: &[u8] = b"hello hello hello hello";

    /// The output is bounded, and what is cut or larger is not whole.
    #[test]
    fn output_is_bounded() {
        let whole = inflate(&RAW, Wrapping::Nothing, 100).map(|inflated| inflated.data);
        assert_eq!(whole.as_deref(), Some(TEXT));
        let bounded = inflate(&RAW, Wrapping::Nothing, 4);
        assert_eq!(
            bounded,
            Some(Inflated {
                data: b"hello".to_vec(),
                whole: false
            })
        );
        let cut = inflate(&RAW[..4], Wrapping::Nothing, 100);
        assert!(cut.is_some_and(|inflated| !inflated.whole && b"hello".starts_with(&inflated.data)));
    }

    /// A reference that reaches too far back is an error only where there is room for it.
    #[test]
    fn full_is_not_broken() {
        let data = [0x7b, 0x20, 0x0d, 0x0d, 0x7d];
        let full = Inflated {
            data: vec![0xe0, 0x1b],
            whole: false,
        };
        assert_eq!(inflate(&data, Wrapping::Nothing, 1), Some(full));
        assert_eq!(inflate(&data, Wrapping::Nothing, 2), None);
    }

    /// A wrong header or checksum is no data at all.
    #[test]
    fn checks_are_made() {
        let wrapped = |sum: u32| [&[0x78, 0x9c], &RAW[..], &sum.to_be_bytes()].concat();
        let right = wrapped(adler32(TEXT));
        assert!(inflate(&right, Wrapping::Zlib, 100).is_some_and(|inflated| inflated.whole));
        assert!(inflate(&right[..14], Wrapping::Zlib, 100).is_some_and(|inflated| !inflated.whole));
        assert_eq!(inflate(&wrapped(1), Wrapping::Zlib, 100), None);
        assert_eq!(inflate(&right, Wrapping::Gzip, 100), None);
        assert_eq!(
            inflate(b"\x78", Wrapping::Zlib, 9),
            Some(Inflated {
                data: Vec::new(),
                whole: false
            })
        );
    }
}
