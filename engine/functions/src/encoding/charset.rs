//! Character encodings by their IANA names.

use encoding_rs::Encoding;

use super::code_pages::CODE_PAGES;

/// A character encoding.
#[derive(Clone, Copy)]
pub(super) struct Charset {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Ascii,
    Latin1,
    Utf8,
    /// Big-endian or little-endian, and whether a byte order mark is written and heeded.
    Utf16 {
        big: bool,
        mark: bool,
    },
    Table(&'static Encoding),
    /// The characters of all bytes.
    CodePage(&'static str),
}

/// Name, encoding, and the aliases beside the name, in small letters.
const CHARSETS: [(&str, Kind, &[&str]); 39] = [
    (
        "US-ASCII",
        Kind::Ascii,
        &[
            "iso-ir-6",
            "ansi_x3.4-1968",
            "ansi_x3.4-1986",
            "iso_646.irv:1991",
            "iso646-us",
            "us",
            "ibm367",
            "cp367",
            "csascii",
        ],
    ),
    ("UTF-8", Kind::Utf8, &["csutf8"]),
    (
        "UTF-16",
        Kind::Utf16 {
            big: true,
            mark: true,
        },
        &["csutf16"],
    ),
    (
        "UTF-16BE",
        Kind::Utf16 {
            big: true,
            mark: false,
        },
        &["csutf16be"],
    ),
    (
        "UTF-16LE",
        Kind::Utf16 {
            big: false,
            mark: false,
        },
        &["csutf16le"],
    ),
    (
        "ISO_8859-1:1987",
        Kind::Latin1,
        &[
            "iso-ir-100",
            "iso_8859-1",
            "iso-8859-1",
            "latin1",
            "l1",
            "ibm819",
            "cp819",
            "csisolatin1",
        ],
    ),
    (
        "ISO_8859-2:1987",
        Kind::Table(encoding_rs::ISO_8859_2),
        &[
            "iso-ir-101",
            "iso_8859-2",
            "iso-8859-2",
            "latin2",
            "l2",
            "csisolatin2",
        ],
    ),
    (
        "ISO_8859-3:1988",
        Kind::Table(encoding_rs::ISO_8859_3),
        &[
            "iso-ir-109",
            "iso_8859-3",
            "iso-8859-3",
            "latin3",
            "l3",
            "csisolatin3",
        ],
    ),
    (
        "ISO_8859-4:1988",
        Kind::Table(encoding_rs::ISO_8859_4),
        &[
            "iso-ir-110",
            "iso_8859-4",
            "iso-8859-4",
            "latin4",
            "l4",
            "csisolatin4",
        ],
    ),
    (
        "ISO_8859-5:1988",
        Kind::Table(encoding_rs::ISO_8859_5),
        &[
            "iso-ir-144",
            "iso_8859-5",
            "iso-8859-5",
            "cyrillic",
            "csisolatincyrillic",
        ],
    ),
    (
        "ISO_8859-6:1987",
        Kind::Table(encoding_rs::ISO_8859_6),
        &[
            "iso-ir-127",
            "iso_8859-6",
            "iso-8859-6",
            "ecma-114",
            "asmo-708",
            "arabic",
            "csisolatinarabic",
        ],
    ),
    (
        "ISO_8859-7:1987",
        Kind::Table(encoding_rs::ISO_8859_7),
        &[
            "iso-ir-126",
            "iso_8859-7",
            "iso-8859-7",
            "elot_928",
            "ecma-118",
            "greek",
            "greek8",
            "csisolatingreek",
        ],
    ),
    (
        "ISO_8859-8:1988",
        Kind::Table(encoding_rs::ISO_8859_8),
        &[
            "iso-ir-138",
            "iso_8859-8",
            "iso-8859-8",
            "hebrew",
            "csisolatinhebrew",
        ],
    ),
    (
        "ISO-8859-10",
        Kind::Table(encoding_rs::ISO_8859_10),
        &["iso-ir-157", "l6", "latin6", "csisolatin6"],
    ),
    (
        "ISO-8859-13",
        Kind::Table(encoding_rs::ISO_8859_13),
        &["csiso885913"],
    ),
    (
        "ISO-8859-14",
        Kind::Table(encoding_rs::ISO_8859_14),
        &[
            "iso-ir-199",
            "iso_8859-14:1998",
            "iso_8859-14",
            "latin8",
            "iso-celtic",
            "l8",
            "csiso885914",
        ],
    ),
    (
        "ISO-8859-15",
        Kind::Table(encoding_rs::ISO_8859_15),
        &["iso_8859-15", "latin-9", "csiso885915"],
    ),
    (
        "ISO-8859-16",
        Kind::Table(encoding_rs::ISO_8859_16),
        &[
            "iso-ir-226",
            "iso_8859-16:2001",
            "iso_8859-16",
            "latin10",
            "l10",
            "csiso885916",
        ],
    ),
    ("KOI8-R", Kind::Table(encoding_rs::KOI8_R), &["cskoi8r"]),
    ("KOI8-U", Kind::Table(encoding_rs::KOI8_U), &["cskoi8u"]),
    (
        "IBM866",
        Kind::Table(encoding_rs::IBM866),
        &["cp866", "866", "csibm866"],
    ),
    (
        "macintosh",
        Kind::Table(encoding_rs::MACINTOSH),
        &["mac", "csmacintosh"],
    ),
    (
        "windows-874",
        Kind::Table(encoding_rs::WINDOWS_874),
        &["cswindows874"],
    ),
    (
        "windows-1250",
        Kind::Table(encoding_rs::WINDOWS_1250),
        &["cswindows1250"],
    ),
    (
        "windows-1251",
        Kind::Table(encoding_rs::WINDOWS_1251),
        &["cswindows1251"],
    ),
    (
        "windows-1252",
        Kind::Table(encoding_rs::WINDOWS_1252),
        &["cswindows1252"],
    ),
    (
        "windows-1253",
        Kind::Table(encoding_rs::WINDOWS_1253),
        &["cswindows1253"],
    ),
    (
        "windows-1254",
        Kind::Table(encoding_rs::WINDOWS_1254),
        &["cswindows1254"],
    ),
    (
        "windows-1255",
        Kind::Table(encoding_rs::WINDOWS_1255),
        &["cswindows1255"],
    ),
    (
        "windows-1256",
        Kind::Table(encoding_rs::WINDOWS_1256),
        &["cswindows1256"],
    ),
    (
        "windows-1257",
        Kind::Table(encoding_rs::WINDOWS_1257),
        &["cswindows1257"],
    ),
    (
        "windows-1258",
        Kind::Table(encoding_rs::WINDOWS_1258),
        &["cswindows1258"],
    ),
    (
        "Extended_UNIX_Code_Packed_Format_for_Japanese",
        Kind::Table(encoding_rs::EUC_JP),
        &["euc-jp", "cseucpkdfmtjapanese"],
    ),
    (
        "ISO-2022-JP",
        Kind::Table(encoding_rs::ISO_2022_JP),
        &["csiso2022jp"],
    ),
    (
        "Shift_JIS",
        Kind::Table(encoding_rs::SHIFT_JIS),
        &["ms_kanji", "csshiftjis"],
    ),
    ("EUC-KR", Kind::Table(encoding_rs::EUC_KR), &["cseuckr"]),
    ("GB18030", Kind::Table(encoding_rs::GB18030), &["csgb18030"]),
    (
        "GBK",
        Kind::Table(encoding_rs::GBK),
        &["cp936", "ms936", "windows-936", "csgbk"],
    ),
    ("Big5", Kind::Table(encoding_rs::BIG5), &["csbig5"]),
];

impl Charset {
    /// The encoding of this name or alias, in small letters or capitals.
    pub(super) fn named(name: &str) -> Option<Self> {
        let wanted = name.to_ascii_lowercase();
        let is_meant = |name: &str, aliases: &[&str]| {
            name.eq_ignore_ascii_case(&wanted) || aliases.contains(&wanted.as_str())
        };
        let charset = CHARSETS
            .iter()
            .find(|(name, _, aliases)| is_meant(name, aliases));
        let code_page = || {
            CODE_PAGES
                .iter()
                .find(|(name, _, aliases)| is_meant(name, aliases))
        };
        charset
            .map(|(name, kind, _)| Self { name, kind: *kind })
            .or_else(|| {
                code_page().map(|(name, characters, _)| Self {
                    name,
                    kind: Kind::CodePage(characters),
                })
            })
    }

    /// Its IANA name.
    pub(super) const fn name(self) -> &'static str {
        self.name
    }

    /// The bytes that stand for `text`, if it has only characters that can be represented.
    pub(super) fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Utf8 => Some(text.as_bytes().to_vec()),
            Kind::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Kind::Latin1 => text
                .chars()
                .map(|character| u8::try_from(u32::from(character)).ok())
                .collect(),
            Kind::Utf16 { big, mark } => {
                let marked = mark.then_some(0xfeff);
                let units = marked.into_iter().chain(text.encode_utf16());
                Some(
                    units
                        .flat_map(|unit| {
                            if big {
                                unit.to_be_bytes()
                            } else {
                                unit.to_le_bytes()
                            }
                        })
                        .collect(),
                )
            }
            Kind::Table(encoding) => {
                let (bytes, _, had_unmappable) = encoding.encode(text);
                (!had_unmappable).then(|| bytes.into_owned())
            }
            Kind::CodePage(characters) => text
                .chars()
                .map(|wanted| characters.chars().position(|known| known == wanted))
                .map(|position| position.and_then(|position| u8::try_from(position).ok()))
                .collect(),
        }
    }

    /// The text that `bytes` stand for, if all of them are defined.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        let text = match self.kind {
            Kind::Utf8 => String::from_utf8(bytes.to_vec()).ok()?,
            Kind::Ascii => bytes
                .is_ascii()
                .then(|| bytes.iter().map(|byte| char::from(*byte)).collect())?,
            Kind::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Kind::Utf16 { big, mark } => decode_utf16(bytes, big, mark)?,
            Kind::Table(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(bytes)?
                .into_owned(),
            Kind::CodePage(characters) => bytes
                .iter()
                .filter_map(|byte| characters.chars().nth(usize::from(*byte)))
                .collect(),
        };
        (!text.contains(char::REPLACEMENT_CHARACTER)).then_some(text)
    }
}

fn decode_utf16(bytes: &[u8], big: bool, mark: bool) -> Option<String> {
    let (bytes, big) = match bytes {
        [0xfe, 0xff, rest @ ..] if mark => (rest, true),
        [0xff, 0xfe, rest @ ..] if mark => (rest, false),
        // Without the byte order mark it is the order of the charset's name: big-endian for plain UTF-16.
        _ => (bytes, big),
    };
    if bytes.len() % 2 == 1 {
        return None;
    }
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if big {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        }
    });
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .ok()
}
