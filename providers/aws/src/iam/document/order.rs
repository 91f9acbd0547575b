//! The order of blocks that have none, as the ecosystem's older plugin SDK has it: by checksums of what they say. Where several blocks
//! speak of the same principals or conditions, the text that comes of them depends on it, and the texts of states do.

use terrace_provider_sdk::Object;

/// Blocks in order.
pub(super) fn sorted(blocks: Vec<Object>, said: fn(&Object) -> String) -> Vec<Object> {
    let mut keyed: Vec<(String, Object)> = blocks
        .into_iter()
        .map(|block| (checksum(&said(&block)).to_string(), block))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    keyed.into_iter().map(|(_, block)| block).collect()
}

/// What a `principals` block says.
pub(super) fn principal(block: &Object) -> String {
    let mut identifiers: Vec<(String, String)> = block
        .texts("identifiers")
        .into_iter()
        .map(|identifier| format!("{identifier};"))
        .map(|said| (checksum(&said).to_string(), said))
        .collect();
    identifiers.sort();
    let identifiers: String = identifiers.into_iter().map(|(_, said)| said).collect();
    let kind = block.text("type").unwrap_or_default();
    format!("identifiers:{{{identifiers}}};type:{kind};")
}

/// What a `condition` block says.
pub(super) fn condition(block: &Object) -> String {
    let text = |name| block.text(name).unwrap_or_default();
    let values: String = block
        .texts("values")
        .into_iter()
        .flat_map(|value| [value, ";"])
        .collect();
    format!(
        "test:{};values:({values});variable:{};",
        text("test"),
        text("variable")
    )
}

/// The checksum CRC-32 of ISO 3309.
pub(super) fn checksum(text: &str) -> u32 {
    let shifted = |sum: u32| {
        if sum & 1 == 1 {
            (sum >> 1) ^ 0xEDB8_8320
        } else {
            sum >> 1
        }
    };
    !text.bytes().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| shifted(sum))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(checksum("123456789"), 0xCBF4_3926);
        assert_eq!(
            checksum("{\n  \"Version\": \"2012-10-17\"\n}"),
            1_132_004_489
        );
    }
}
