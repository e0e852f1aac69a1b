//! Malformed input, later versions, other dialects: nothing panics, and what decodes encodes to the same bytes.

use crate::common::{Bits, realistic, unhex, vectors};
use masa_v2x_proto::uper::{Dialect, UperErrorKind};
use masa_v2x_proto::{Message, cam::Cam, cpm::Cpm};
use proptest::prelude::*;

/// An RSU CAM, a DENM with a stationary vehicle and a CPM with two objects, values in `tests/it/messages.rs`; a junction with
/// its signals, a bus's request and the answer, GNSS corrections, values in `tests/it/dsrc.rs`.
const SAMPLES: [&str; 8] = [
    include_str!("../samples/cam.hex"),
    include_str!("../samples/denm.hex"),
    include_str!("../samples/cpm.hex"),
    include_str!("../samples/spatem.hex"),
    include_str!("../samples/mapem.hex"),
    include_str!("../samples/srem.hex"),
    include_str!("../samples/ssem.hex"),
    include_str!("../samples/rtcmem.hex"),
];

fn samples() -> Vec<Vec<u8>> {
    SAMPLES.iter().map(|digits| unhex(digits.trim())).collect()
}

/// Decodes; what decodes must encode to the same bytes in the dialect that was found.
fn check(bytes: &[u8]) -> bool {
    let Ok((message, dialect)) = Message::decode_detecting(bytes) else { return false };
    let mut again = vec![0; bytes.len()];
    assert_eq!(message.encode_as(dialect, &mut again), Ok(bytes.len()), "{message:?}");
    assert_eq!(again, bytes, "{message:?}");
    true
}

#[test]
fn no_prefix_decodes() {
    let messages = realistic("no_prefix_decodes").into_iter().map(|(_, bytes, _)| bytes);
    for bytes in samples().into_iter().chain(messages) {
        assert!(check(&bytes));
        for length in 0..bytes.len() {
            assert!(Message::decode(&bytes[..length]).is_err(), "{length} bytes of {}", bytes.len());
        }
    }
}

#[test]
fn nothing_may_follow_a_message() {
    for mut bytes in samples() {
        bytes.push(0);
        let error = Message::decode(&bytes).expect_err("a byte too many");
        assert!(matches!(error.kind, UperErrorKind::LeftOver(8..=15)), "{error}");
    }
}

#[test]
fn every_flipped_bit_is_survived() {
    for bytes in samples() {
        let decoded = (0..bytes.len() * 8).filter(|bit| {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 0x80 >> (bit % 8);
            check(&flipped)
        });
        assert!(decoded.count() > bytes.len(), "most bits are values: many flips still decode");
    }
}

/// All files of independent vectors.
const KINDS: [&str; 18] = [
    "r1_cam",
    "r2_cam",
    "r1_denm",
    "r2_denm",
    "r2_cpm",
    "r2_vam",
    "r2_poim",
    "is13_IVIM",
    "is22_IVIM",
    "is13_SPATEM",
    "is22_SPATEM",
    "is13_MAPEM",
    "is22_MAPEM",
    "is13_SREM",
    "is22_SREM",
    "is13_SSEM",
    "is22_SSEM",
    "is13_RTCMEM",
];

/// Decodes what is malformed: what is an error names the component and a bit of the message, save for what concerns no
/// component because it stands behind the last one.
fn check_error(name: &str, bytes: &[u8]) {
    let Err(error) = Message::decode(bytes) else { return };
    assert!(error.bit <= bytes.len() * 8, "{name}: {error}: past the end");
    let behind =
        matches!(error.kind, UperErrorKind::LeftOver(_) | UperErrorKind::NotCanonical("padding that is not zero"));
    assert!(error.path.starts_with('.') || behind, "{name}: {error}: no component");
    assert!(error.to_string().contains(&format!("{} at bit {}", error.path, error.bit)), "{name}: {error}");
    if let UperErrorKind::Truncated { needed, available } = error.kind {
        assert!(available < needed && error.bit + available <= bytes.len() * 8, "{name}: {error}");
    }
}

#[test]
fn every_truncation_names_the_component_and_the_bit() {
    for kind in KINDS {
        for (name, bytes, _) in vectors(kind, "every_truncation_names_the_component_and_the_bit").iter().step_by(5) {
            for length in 0..bytes.len() {
                // With its disputed bit read otherwise, part of a message can be a whole one.
                let dialect = Message::decode_detecting(&bytes[..length]).ok().map(|(_, dialect)| dialect);
                assert_ne!(dialect, Some(Dialect::DEFAULT), "{name}: {length} of {} bytes", bytes.len());
                check_error(name, &bytes[..length]);
            }
        }
    }
}

#[test]
fn flips_of_random_vectors_are_survived_or_name_the_component_and_the_bit() {
    for kind in KINDS {
        for (name, bytes, _) in vectors(kind, "flips_of_random_vectors").iter().step_by(3) {
            for bit in (0..bytes.len() * 8).step_by(13) {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 0x80 >> (bit % 8);
                if !check(&flipped) {
                    check_error(name, &flipped);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_survived(message_id in prop::sample::select(vec![1u8, 2, 3, 4, 5, 6, 9, 10, 13, 14, 16, 20]), mut bytes in prop::collection::vec(any::<u8>(), 2..400)) {
        bytes[1] = message_id;
        check(&bytes);
    }

    #[test]
    fn random_changes_are_survived(sample in 0usize..8, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = samples().swap_remove(sample);
        let id = bytes[1];
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes[1] = id;
        check(&bytes);
    }
}

/// Header and generation time are 64 bits, the preamble of `CamParameters` 3, station type and position 131.
const BASIC_CONTAINER: usize = 67;
const AFTER_BASIC_CONTAINER: usize = BASIC_CONTAINER + 1 + 131;
/// The CAM without its padding.
const CAM_BITS: usize = 353;

#[test]
fn additions_of_later_versions_are_sent_on_unchanged() {
    let mut bits = Bits::of(&samples()[0]);
    bits.0.truncate(CAM_BITS);
    // Three additions are announced, the second of them is there: two bytes.
    bits.insert(AFTER_BASIC_CONTAINER, (2 << 27) | (0b010 << 24) | (2 << 16) | 0xABCD, 7 + 3 + 8 + 16);
    bits.0[BASIC_CONTAINER] = true;
    let bytes = bits.bytes();
    let cam = Cam::decode(&bytes).expect("an unknown addition is no error");
    assert!(!cam.unknown_extensions.is_empty());
    assert_eq!(cam.to_uper().expect("encodes"), bytes);
    // Without them it is the message of this version.
    let mut known = cam.clone();
    known.unknown_extensions.clear();
    assert_eq!(known.to_uper().expect("encodes"), samples()[0]);
}

#[test]
fn cpm_is_read_with_and_without_the_disputed_extension_bit() {
    let plain = Cpm::decode_detecting(&samples()[2]).expect("decodes");
    assert_eq!(plain.1, Dialect::ASN1C);
    let mut out = [0; 512];
    let length = plain.0.encode_as(Dialect::RASN, &mut out).expect("encodes");
    let with_bit = &out[..length];
    let without = |bit: usize| {
        let mut bits = Bits::of(with_bit);
        bits.0.remove(bit);
        bits.bytes()[..samples()[2].len()] == samples()[2]
    };
    assert!((0..length * 8).any(without), "one bit more than the other dialect");
    let (cpm, dialect) = Cpm::decode_detecting(with_bit).expect("decodes too");
    assert_eq!((cpm, dialect), (plain.0, Dialect::RASN));
}

#[test]
fn errors_name_the_component_and_the_bit() {
    // The latitude of the reference position, bits 76 to 106, set to the largest number of 31 bits.
    let mut bits = Bits::of(&samples()[0]);
    bits.0[BASIC_CONTAINER + 9..BASIC_CONTAINER + 9 + 31].fill(true);
    let error = Message::decode(&bits.bytes()).expect_err("the latitude is out of range");
    let expected = "CAM.cam.camParameters.basicContainer.referencePosition.latitude at bit 107: 1247483647 is not in \
                    -900000000..=900000001";
    assert_eq!(error.to_string(), expected);
}
