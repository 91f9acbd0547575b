//! Base64 with padding, line breaks ignored.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// Bytes as Base64.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes that Base64 stands for, or the offset of the first byte that does not belong there.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let mut symbols = Symbols { bytes, position: 0 };
    loop {
        let mut group = [0_u8; 4];
        for index in 0..4 {
            let offset = symbols.skip_breaks();
            match symbols.next_byte() {
                None if index == 0 => return Ok(out),
                None => return Err(offset - index),
                Some(b'=') => {
                    symbols.padding(offset, index)?;
                    out.extend_from_slice(&unpacked(group)[..index - 1]);
                    return Ok(out);
                }
                Some(byte) => group[index] = symbol_value(byte).ok_or(offset)?,
            }
        }
        out.extend_from_slice(&unpacked(group));
    }
}

struct Symbols<'t> {
    bytes: &'t [u8],
    position: usize,
}

impl Symbols<'_> {
    fn skip_breaks(&mut self) -> usize {
        while matches!(self.bytes.get(self.position), Some(b'\r' | b'\n')) {
            self.position += 1;
        }
        self.position
    }

    fn next_byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.position).copied();
        self.position += 1;
        byte
    }

    /// After a first `=` at `offset`, in place `index` of its group: the rest of the padding, and nothing behind it.
    fn padding(&mut self, offset: usize, index: usize) -> Result<(), usize> {
        if index < 2 {
            return Err(offset);
        }
        if index == 2 {
            let next = self.skip_breaks();
            match self.next_byte() {
                Some(b'=') => {}
                Some(_) => return Err(next - 1),
                None => return Err(self.bytes.len()),
            }
        }
        let rest = self.skip_breaks();
        if rest < self.bytes.len() {
            Err(rest)
        } else {
            Ok(())
        }
    }
}

const fn symbol_value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

const fn unpacked(group: [u8; 4]) -> [u8; 3] {
    [
        group[0] << 2 | group[1] >> 4,
        group[1] << 4 | group[2] >> 2,
        group[2] << 6 | group[3],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        assert_eq!(decode("SGVs\r\nbG8="), Ok(b"Hello".to_vec()));
        assert_eq!(decode("/x=="), Ok(vec![255]));
        assert_eq!(decode(""), Ok(Vec::new()));
        assert_eq!(decode("abc"), Err(0));
        assert_eq!(decode("ab=c"), Err(2));
        assert_eq!(decode("ab=="), Ok(vec![105]));
        assert_eq!(decode("ab==x"), Err(4));
        assert_eq!(decode("a b="), Err(1));
        assert_eq!(decode("="), Err(0));
    }
}
