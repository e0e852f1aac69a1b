//! Random valid messages for comparison with other codecs: `cargo run --example random_messages -- TYPE COUNT SEED`, with
//! TYPE as in `masa v2x`. Prints a JSON line each: the bytes as hex and the value under the standard's names.
//!
//! Random bits are decoded, and repaired where the decoder says that they cannot be: what is out of range is drawn again,
//! what is missing is added, what is left over is cut. So every type of every message takes part, and no generator of
//! values has to know them. What only later versions define is left out: other codecs show it in forms of their own.

use masa_v2x_proto::Message;
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::uper::UperErrorKind;

/// Longest message, bytes: what fits a frame of G5.
const LONGEST: usize = 1400;
/// Repairs after which a start is given up.
const REPAIRS: usize = 4000;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A byte whose bits are set with a probability of 2^-rarity.
    fn byte(&mut self, rarity: u32) -> u8 {
        (0..rarity).fold(u8::MAX, |byte, _| byte & self.next() as u8)
    }
}

/// Draws the bits from `bit` - 6 to `bit` + 10 again.
fn draw_again(bytes: &mut [u8], bit: usize, random: &mut Random) {
    for at in bit.saturating_sub(6).max(16)..bit + 10 {
        if let Some(byte) = bytes.get_mut(at / 8) {
            let mask = 0x80 >> (at % 8);
            *byte = if random.next() & 3 == 0 { *byte | mask } else { *byte & !mask };
        }
    }
}

/// One message of `id`, if the repairs lead to one.
fn message(id: u8, random: &mut Random) -> Option<Message> {
    let rarity = 1 + (random.next() % 3) as u32;
    let mut bytes: Vec<u8> = (0..40 + random.next() % 100).map(|_| random.byte(rarity)).collect();
    bytes[1] = id;
    for _ in 0..REPAIRS {
        let error = match Message::decode(&bytes) {
            Ok(message) => return Some(message),
            Err(error) => error,
        };
        match error.kind {
            UperErrorKind::Truncated { needed, .. } if needed <= 64 && bytes.len() < LONGEST => {
                let more = needed.div_ceil(8).max(8);
                bytes.extend((0..more).map(|_| random.byte(rarity.max(2))));
            }
            UperErrorKind::LeftOver(left) if left == bytes.len() * 8 - error.bit => {
                bytes.truncate(error.bit.div_ceil(8));
                if let (Some(last), used @ 1..) = (bytes.last_mut(), error.bit % 8) {
                    *last &= 0xFF << (8 - used);
                }
            }
            // The last byte's padding.
            UperErrorKind::NotCanonical("padding that is not zero") if error.bit + 8 > bytes.len() * 8 => {
                let last = bytes.last_mut()?;
                *last &= !(0xFF_u16 >> (error.bit % 8)) as u8;
                if error.bit % 8 == 0 {
                    *last = 0;
                }
            }
            _ => draw_again(&mut bytes, error.bit, random),
        }
    }
    None
}

/// Whether a cause is above 128: release 1 allows it, release 2's choice has no alternative for it, we read both.
fn has_release_1_cause(jer: &str) -> bool {
    (129..=255).any(|cause| jer.contains(&format!("\"reserved{cause}\"")))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, count, seed] = arguments.as_slice() else {
        eprintln!("usage: random_messages TYPE COUNT SEED");
        return;
    };
    let id = match kind.split('_').nth(1).unwrap_or_default().to_ascii_lowercase().as_str() {
        "denm" => 1,
        "cam" => 2,
        "poim" => 3,
        "spatem" => 4,
        "mapem" => 5,
        "ivim" => 6,
        "srem" => 9,
        "ssem" => 10,
        "rtcmem" => 13,
        "cpm" => 14,
        "vam" => 16,
        other => panic!("unknown message {other}"),
    };
    let release = if kind.starts_with("r1") || kind.starts_with("is13") { Release::R1 } else { Release::R2 };
    let count: usize = count.parse().expect("COUNT is a number");
    let mut random = Random(seed.parse().expect("SEED is a number"));
    let (mut made, mut tried) = (0, 0);
    while made < count && tried < 100 * count {
        tried += 1;
        let Some(mut message) = message(id, &mut random) else { continue };
        message.clear_unknown_extensions();
        let Ok(bytes) = message.to_uper() else { continue };
        let jer = message.to_jer(release).to_string();
        if bytes.len() > LONGEST || jer.contains("\"unknown\"") || has_release_1_cause(&jer) {
            continue;
        }
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{{\"uper\":\"{hex}\",\"jer\":{jer}}}");
        made += 1;
    }
    eprintln!("{made} messages from {tried} starts");
}
