//! Messages of the agent's protocol and of OpenSSH's signatures: numbers and strings with their lengths before them.

/// A string of SSH: its length, and its bytes.
pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}

/// What is left of a message to read.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_as_they_were_written_and_not_past_the_end() {
        let message = [string(b"one"), string(b"")].concat();
        let mut reader = Reader(&message);
        assert_eq!(reader.string(), Some(&b"one"[..]));
        assert_eq!(reader.string(), Some(&b""[..]));
        assert_eq!(reader.string(), None);
        assert_eq!(Reader(&message[..5]).string(), None);
        assert_eq!(Reader(&[0xff; 8]).string(), None);
    }
}
