//! CBOR as far as AWS's clients speak it, as JSON and back.
#![expect(
    clippy::unwrap_used,
    reason = "clients of AWS write CBOR that can be read"
)]

use serde_json::{Map, Value as Json, json};

/// What the bytes say; times are numbers.
pub(super) fn decode(bytes: &[u8]) -> Json {
    let mut reader = Reader { bytes, at: 0 };
    if bytes.is_empty() {
        json!({})
    } else {
        reader.value()
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// The length of what ends with a break.
const OPEN: u8 = 31;

impl Reader<'_> {
    fn take(&mut self, count: usize) -> &[u8] {
        let start = self.at;
        self.at += count;
        &self.bytes[start..self.at]
    }

    fn number(&mut self, short: u8) -> u64 {
        let count = match short {
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            short => return u64::from(short),
        };
        self.take(count)
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Whether a break comes next; it is read then.
    fn breaks(&mut self) -> bool {
        let breaks = self.bytes[self.at] == 0xff;
        self.at += usize::from(breaks);
        breaks
    }

    fn text(&mut self, short: u8) -> String {
        let mut text = Vec::new();
        if short == OPEN {
            while !self.breaks() {
                let part = self.take(1)[0] & 31;
                let length = usize::try_from(self.number(part)).unwrap();
                text.extend_from_slice(self.take(length));
            }
        } else {
            let length = usize::try_from(self.number(short)).unwrap();
            text.extend_from_slice(self.take(length));
        }
        String::from_utf8(text).unwrap()
    }

    fn value(&mut self) -> Json {
        let first = self.take(1)[0];
        let (major, short) = (first >> 5, first & 31);
        match major {
            0 => json!(self.number(short)),
            1 => json!(-1 - i64::try_from(self.number(short)).unwrap()),
            2 | 3 => json!(self.text(short)),
            4 => {
                let count = (short != OPEN).then(|| self.number(short));
                let mut items = Vec::new();
                while count.map_or_else(|| !self.breaks(), |count| (items.len() as u64) < count) {
                    items.push(self.value());
                }
                Json::Array(items)
            }
            5 => {
                let count = (short != OPEN).then(|| self.number(short));
                let mut entries = Map::new();
                let mut read = 0;
                while count.map_or_else(|| !self.breaks(), |count| read < count) {
                    let key = self.value();
                    let value = self.value();
                    entries.insert(key.as_str().expect("a key is text").to_owned(), value);
                    read += 1;
                }
                Json::Object(entries)
            }
            6 => {
                self.number(short);
                self.value()
            }
            _ => self.simple(short),
        }
    }

    fn simple(&mut self, short: u8) -> Json {
        match short {
            20 => json!(false),
            21 => json!(true),
            26 => {
                let bits = u32::try_from(self.number(short)).unwrap();
                json!(f32::from_bits(bits))
            }
            27 => json!(f64::from_bits(self.number(short))),
            _ => Json::Null,
        }
    }
}

/// The bytes that say it. Numbers under names that end in `Timestamp` are times.
pub(super) fn encode(json: &Json) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(json, false, &mut bytes);
    bytes
}

fn head(major: u8, number: u64, bytes: &mut Vec<u8>) {
    bytes.push((major << 5) | 0x1b);
    bytes.extend(number.to_be_bytes());
}

fn text(text: &str, bytes: &mut Vec<u8>) {
    head(3, text.len() as u64, bytes);
    bytes.extend(text.as_bytes());
}

fn write(json: &Json, is_time: bool, bytes: &mut Vec<u8>) {
    match json {
        Json::Null => bytes.push(0xf6),
        Json::Bool(flag) => bytes.push(if *flag { 0xf5 } else { 0xf4 }),
        Json::Number(number) if is_time || number.is_f64() => {
            if is_time {
                bytes.push(0xc1);
            }
            bytes.push(0xfb);
            bytes.extend(number.as_f64().unwrap().to_be_bytes());
        }
        Json::Number(number) => match number.as_u64() {
            Some(number) => head(0, number, bytes),
            None => head(1, number.as_i64().unwrap().unsigned_abs() - 1, bytes),
        },
        Json::String(said) => text(said, bytes),
        Json::Array(items) => {
            head(4, items.len() as u64, bytes);
            for item in items {
                write(item, is_time, bytes);
            }
        }
        Json::Object(entries) => {
            head(5, entries.len() as u64, bytes);
            for (key, item) in entries {
                text(key, bytes);
                write(item, key.ends_with("Timestamp"), bytes);
            }
        }
    }
}

#[test]
fn what_is_said_in_cbor_is_understood() {
    let said = json!({"AlarmName": "a", "Threshold": -1.5, "Period": 60, "Low": -3, "Metrics": [{"ReturnData": true}], "None": null});
    assert_eq!(decode(&encode(&said)), said);
    // With an end in place of lengths, as clients write it.
    let open = [0xbf, 0x61, b'a', 0x9f, 0x01, 0x20, 0xff, 0xff];
    assert_eq!(decode(&open), json!({"a": [1, -1]}));
}
