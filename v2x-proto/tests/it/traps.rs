//! What other implementations get wrong on the wire, each with the test that keeps us right.
//!
//! | trap | test |
//! |---|---|
//! | types of two modules that share a name (rasn-compiler) | `a_name_in_two_modules_is_two_types` |
//! | `COMPONENTS OF` moved to the end (rasn-compiler) | `lateral_details_come_after_the_lane` |
//! | the constraint of a new type lost in an extension addition (rasn) | `an_extension_addition_keeps_its_constraint` |
//! | the extension bit of the CPM's containers | `malformed.rs`: `cpm_is_read_with_and_without_the_disputed_extension_bit` |
//! | that of `containerId` in a release-2 CAM | `a_cam_is_read_with_and_without_the_bit_of_its_container_ids` |
//! | that of `pathPredicted` | `predicted_paths_are_read_with_and_without_the_disputed_bit` |
//! | that of `poiType` | `poim.rs`: `a_poim_is_read_with_and_without_the_disputed_extension_bit` |
//! | roots widened past `...` (Vanetza) | `what_is_beyond_the_root_is_an_extension` |
//! | unknown regional extensions refused (asn1c) | `dsrc.rs`: `regional_extensions_of_others_are_sent_on_unchanged` |
//! | release 1 and 2 of a CAM are told apart by nothing | `a_cam_has_the_same_bytes_in_both_releases` |
//! | versions: CPM 2, VAM 3, POIM 1 | `versions_are_those_of_the_standards` |
//! | inner subtype limits are not on the wire | `messages.rs`: `what_the_standards_exclude_is_named` |
//! | what is left over is ignored | `malformed.rs`: `nothing_may_follow_a_message` |
//! | JER taken for a JSON for people | `json.rs`: `forms_that_differ_from_the_structure` |

use crate::common::{realistic, unhex, vectors};
use masa_v2x_proto::cam::{Cam, LowFrequencyContainer};
use masa_v2x_proto::cpm::Cpm;
use masa_v2x_proto::denm::Denm;
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::poim::Poim;
use masa_v2x_proto::uper::Dialect;
use masa_v2x_proto::vam::Vam;
use masa_v2x_proto::{Message, cdd};
use serde_json::Value;

/// Whether a member of that name is anywhere in the value.
fn has(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| key == name || has(value, name)),
        Value::Array(elements) => elements.iter().any(|element| has(element, name)),
        _ => false,
    }
}

/// The vectors that have a member of that name, of which there must be some.
fn with(kind: &str, name: &str) -> Vec<(String, Vec<u8>, Value)> {
    let mut found = vectors(kind, name);
    let skipped = found.is_empty();
    found.retain(|(_, _, stated)| has(stated, name));
    assert!(skipped || !found.is_empty(), "no {kind} with {name}");
    found
}

/// Every vector with a member of that name has the stated value and the same bytes again.
fn agree(kind: &str, name: &str) {
    for (seed, bytes, stated) in with(kind, name) {
        let message = Message::decode(&bytes).unwrap_or_else(|error| panic!("{seed}: {error}"));
        assert_eq!(message.to_jer(Release::R2), stated, "{seed}");
        assert_eq!(message.to_uper().as_ref(), Ok(&bytes), "{seed}");
    }
}

#[test]
fn a_name_in_two_modules_is_two_types() {
    // `ManagementContainer` of DENM and of CPM, `LaneType` of the common data and of IVI, `Position3D` of ISO and ours.
    agree("r2_denm", "management");
    agree("r2_cpm", "managementContainer");
    agree("is22_IVIM", "laneType");
}

#[test]
fn lateral_details_come_after_the_lane() {
    for kind in ["r2_cam", "r2_denm", "r2_vam"] {
        agree(kind, "distanceToLeftBorder");
    }
}

#[test]
fn an_extension_addition_keeps_its_constraint() {
    // `eventEnd` is an INTEGER(-8190..8191) behind the extension mark: 14 bits in its group, not an unbounded number.
    agree("r2_denm", "eventEnd");
}

/// Messages whose bytes differ between two dialects, each read from either form.
fn read_in_both<M: PartialEq + std::fmt::Debug>(
    vectors: &[(String, Vec<u8>, Value)],
    other: Dialect,
    decode: impl Fn(&[u8]) -> (M, Dialect),
    encode: impl Fn(&M, Dialect) -> Option<Vec<u8>>,
) {
    let mut told_apart = 0;
    for (seed, bytes, _) in vectors {
        let (message, dialect) = decode(bytes);
        assert_eq!(dialect, Dialect::DEFAULT, "{seed}");
        let Some(theirs) = encode(&message, other) else { continue };
        assert_ne!(&theirs, bytes, "{seed}: the dialects differ here");
        let (again, found) = decode(&theirs);
        // A message that is valid in both dialects is read in the usual one.
        if found == other {
            assert_eq!(again, message, "{seed}");
            told_apart += 1;
        }
        assert_eq!(encode(&again, found).as_ref(), Some(&theirs), "{seed}: sent on as it came");
    }
    assert!(told_apart * 10 >= vectors.len() * 9, "{told_apart} of {} are told apart", vectors.len());
}

#[test]
fn a_cam_is_read_with_and_without_the_bit_of_its_container_ids() {
    let encode = |cam: &Cam, dialect| {
        let mut out = vec![0; 8192];
        cam.encode_as(dialect, &mut out).ok().map(|length| out[..length].to_vec())
    };
    let vectors = with("r2_cam", "extensionContainers");
    read_in_both(&vectors, Dialect::BARE, |bytes| Cam::decode_detecting(bytes).expect("decodes"), encode);
}

#[test]
fn predicted_paths_are_read_with_and_without_the_disputed_bit() {
    let encode = |denm: &Denm, dialect| {
        let mut out = vec![0; 8192];
        denm.encode_as(dialect, &mut out).ok().map(|length| out[..length].to_vec())
    };
    let vectors = with("r2_denm", "pathPredicted");
    read_in_both(&vectors, Dialect::RASN, |bytes| Denm::decode_detecting(bytes).expect("decodes"), encode);
}

/// The CAM of a roadside unit, with a low-frequency container of one point after `path_delta_time_ms`.
fn cam_with_point(path_delta_time_ms: u32) -> Cam {
    let mut cam = Cam::decode(&unhex(include_str!("../samples/cam.hex").trim())).expect("a valid CAM");
    let mut container = masa_v2x_proto::cam::BasicVehicleContainerLowFrequency::default();
    let point = cdd::PathPoint { path_delta_time_ms: Some(path_delta_time_ms), ..cdd::PathPoint::default() };
    container.path_history.push(point).expect("room for one");
    cam.cam.cam_parameters.low_frequency_container = Some(LowFrequencyContainer::BasicVehicle(container));
    cam
}

#[test]
fn what_is_beyond_the_root_is_an_extension() {
    // PathDeltaTime is 1..65535 (10 ms) and more as an extension: 16 bits, or a length byte and three bytes.
    let root = cam_with_point(655_350).to_uper().expect("encodes");
    let beyond = cam_with_point(655_360).to_uper().expect("encodes");
    assert_eq!(beyond.len() - root.len(), 2, "8 + 24 bits instead of 16");
    for (bytes, ms) in [(root, 655_350), (beyond, 655_360)] {
        assert_eq!(Cam::decode(&bytes), Ok(cam_with_point(ms)));
    }
}

#[test]
fn a_cam_has_the_same_bytes_in_both_releases() {
    let realistic = realistic("a_cam_has_the_same_bytes_in_both_releases");
    let bytes = |name| realistic.iter().find(|(found, ..)| found == name).map(|(_, bytes, _)| bytes);
    assert_eq!(bytes("r1_cam_typical"), bytes("r2_cam_typical"));
    if let Some(cam) = bytes("r1_cam_typical") {
        assert_eq!(cam[0], 2, "protocolVersion");
        assert_eq!(Cam::PROTOCOL_VERSION, 2);
    }
}

#[test]
fn versions_are_those_of_the_standards() {
    assert_eq!([Cpm::PROTOCOL_VERSION, Vam::PROTOCOL_VERSION, Poim::PROTOCOL_VERSION], [2, 3, 1]);
    let mut cpm = Cpm::decode(&unhex(include_str!("../samples/cpm.hex").trim())).expect("a valid CPM");
    assert_eq!(cpm.check_limits(), Ok(()));
    // Version 1 is the CPM of TR 103 562, which is another message.
    cpm.header.protocol_version = 1;
    assert_eq!(&*cpm.check_limits().expect_err("another message").path, "header.protocolVersion");
}
