//! The build for a small on-board unit, without standard library and allocator:
//! `cargo test -p masa-v2x-proto --no-default-features --test bare`.
#![cfg(not(feature = "std"))]

mod common;

use common::{realistic, vectors};
use masa_v2x_proto::cam::Cam;
use masa_v2x_proto::cpm::Cpm;
use masa_v2x_proto::denm::Denm;
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
    ];
    for (name, size, most) in sizes {
        println!("{name}: {size} bytes");
        assert!(size <= most, "{name}: {size} bytes, {most} wanted at most");
    }
}
