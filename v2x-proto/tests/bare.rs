//! The build for a small on-board unit, without standard library and allocator:
//! `cargo test -p masa-v2x-proto --no-default-features --test bare`.
#![cfg(not(feature = "std"))]

#[path = "it/common/mod.rs"]
mod common;

use common::{realistic, vectors};
use masa_v2x_proto::cam::Cam;
use masa_v2x_proto::cpm::Cpm;
use masa_v2x_proto::denm::Denm;
use masa_v2x_proto::mapem::Mapem;
use masa_v2x_proto::spatem::Spatem;
use masa_v2x_proto::ssem::Ssem;
use masa_v2x_proto::uper::{UperError, UperErrorKind};
use masa_v2x_proto::vam::Vam;

/// Decodes and encodes again; gives the bytes.
fn recode(kind: &str, bytes: &[u8]) -> Result<Vec<u8>, UperError> {
    let mut out = vec![0; 8192];
    let length = match kind {
        "cam" => Cam::decode(bytes)?.encode(&mut out)?,
        "denm" => Denm::decode(bytes)?.encode(&mut out)?,
        "cpm" => Cpm::decode(bytes)?.encode(&mut out)?,
        "vam" => Vam::decode(bytes)?.encode(&mut out)?,
        "spatem" => Spatem::decode(bytes)?.encode(&mut out)?,
        "mapem" => Mapem::decode(bytes)?.encode(&mut out)?,
        "ssem" => Ssem::decode(bytes)?.encode(&mut out)?,
        other => panic!("no decoder for {other}"),
    };
    out.truncate(length);
    Ok(out)
}

#[test]
fn realistic_messages_have_room() {
    for (name, bytes, _) in realistic("realistic_messages_have_room") {
        let kind = name.split('_').nth(1).expect("release_kind_variant");
        assert_eq!(recode(kind, &bytes).as_ref(), Ok(&bytes), "{name}");
    }
}

/// `samples/spatem.hex` without what regions add, written by pycrate 0.8.1.
const PLAIN_SPATEM: &str = "02040000126740000003826b69c2822edd3b34e180138258830a0000000007b04001065f4628803c8096805ab8284de04b\
    001021fa3144025c052c034dc00c117d18a200f2025a016ae008087e8c510097014b00d37205043f4628804b80a58069b8240e011c";

/// The same for `samples/mapem.hex`, without its classes of restricted users.
const PLAIN_MAPEM: &str = "02050000126768000000330384d6d385045dba7669c3002704b106a821670438e721d708ac815e028ad80cb0045000000a00\
    00518f3a8aa0090c21e72112100002c0a0000404400888000000016713a893f4080c9000cd87cb7f3e7df0ecd683be5e7d18\
    002080000228860c0c00fd000088002000040027ffbb0480";

/// The same for `samples/ssem.hex`.
const PLAIN_SSEM: &str = "020a00001267600000007b180024009c12c4281400000cbc14482005100657f00008080002a0";

/// An intersection of everyday size: five signal groups, four lanes, two answers. What regions add has no room.
#[test]
fn messages_of_an_intersection_have_room() {
    let unhex = |digits: &str| -> Vec<u8> {
        let digits = digits.trim();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    };
    for (kind, sample) in [("spatem", PLAIN_SPATEM), ("mapem", PLAIN_MAPEM), ("ssem", PLAIN_SSEM)] {
        let bytes = unhex(sample);
        assert_eq!(recode(kind, &bytes).as_ref(), Ok(&bytes), "{kind}");
    }
    let refused = recode("spatem", &unhex(include_str!("samples/spatem.hex"))).unwrap_err();
    assert!(refused.path.ends_with(".regional") && matches!(refused.kind, UperErrorKind::NoRoom { room: 0, .. }));
}

/// Random values fill every list and use every extension: what finds no room is an error that says so, nothing is cut.
#[test]
fn what_has_no_room_is_refused_and_never_cut() {
    for (kind, least_share) in
        [("r1_cam", 1.0), ("r2_cam", 0.8), ("r1_denm", 1.0), ("r2_denm", 0.75), ("r2_cpm", 0.4), ("r2_vam", 0.8)]
    {
        let vectors = vectors(kind, "what_has_no_room_is_refused_and_never_cut");
        let mut same = 0;
        for (name, bytes, _) in &vectors {
            match recode(&kind[3..], bytes) {
                Ok(again) => {
                    assert_eq!(&again, bytes, "{name}");
                    same += 1;
                }
                Err(UperError { kind: UperErrorKind::NoRoom { count, room }, path, .. }) => {
                    assert!(count > room && !path.is_empty(), "{name}: {path}");
                }
                Err(UperError { kind: UperErrorKind::NotKept(lost), .. }) => assert!(lost > 0, "{name}"),
                Err(error) => panic!("{name}: {error}"),
            }
        }
        println!("{kind}: {same} of {} random messages have room", vectors.len());
        assert!(same as f64 >= least_share * vectors.len() as f64, "{kind}: only {same}");
    }
}

#[test]
fn messages_are_small_enough_for_a_small_unit() {
    let sizes = [
        ("CAM", size_of::<Cam>(), 8 << 10),
        ("DENM", size_of::<Denm>(), 20 << 10),
        ("CPM", size_of::<Cpm>(), 40 << 10),
        ("VAM", size_of::<Vam>(), 8 << 10),
        ("SPATEM", size_of::<Spatem>(), 24 << 10),
        ("MAPEM", size_of::<Mapem>(), 40 << 10),
        ("SSEM", size_of::<Ssem>(), 8 << 10),
    ];
    for (name, size, most) in sizes {
        println!("{name}: {size} bytes");
        assert!(size <= most, "{name}: {size} bytes, {most} wanted at most");
    }
}
