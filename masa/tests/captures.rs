//! Captures: what `masa v2x dissect` says of frames of others, and what Wireshark's tshark says of ours.

use masa_links::geonet::capture::{CaptureReader, CaptureWriter, Content};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{
    AreaField, BasicHeader, Body, Btp, CommonHeader, EthernetHeader, ExtendedHeader, Frame, GeoArea, GnAddress,
    Lifetime, LongPositionVector, MacAddress, Packet, PlainPacket, PositionAccuracy, SequenceField, Shape,
    TrafficClass, UpperProtocol,
};
use masa_v2x_proto::time::Timestamp;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const T0: Timestamp = Timestamp::from_unix_ms(1_767_225_600_000);

fn masa(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_masa"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("the program reads");
    child.wait_with_output().expect("the program ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A file of the test data, or a word about its absence.
fn test_data(name: &str, test: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let data = std::env::var_os("MASA_TEST_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let path = data.join("v2x").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {test}: {} is missing", path.display());
    None
}

/// tshark's answer, one line a frame, or a word about its absence.
fn tshark(file: &Path, arguments: &[&str], test: &str) -> Option<Vec<String>> {
    let output = Command::new("tshark").arg("-n").arg("-r").arg(file).args(arguments).output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", text(&output.stderr));
            Some(text(&output.stdout).lines().map(str::to_owned).collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {test}: tshark is not installed");
            None
        }
        Err(error) => panic!("tshark: {error}"),
    }
}

/// Values of fields, one list a frame.
fn fields(file: &Path, names: &[&str], test: &str) -> Option<Vec<Vec<String>>> {
    let mut arguments = vec!["-T", "fields", "-E", "separator=;"];
    names.iter().for_each(|name| arguments.extend(["-e", name]));
    let lines = tshark(file, &arguments, test)?;
    Some(lines.iter().map(|line| line.split(';').map(str::to_owned).collect()).collect())
}

#[test]
fn a_capture_of_another_make_is_dissected_to_its_messages() {
    let Some(file) = test_data("frames.pcap", "a_capture_of_another_make_is_dissected_to_its_messages") else { return };
    let file = file.to_str().expect("UTF-8");
    let lines = good(&masa(&["v2x", "dissect", file], ""));
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), 19);
    for (line, parts) in [
        (
            0,
            [
                "SHB",
                "15.02:00:4c:55:49:47 at 44.6472500, 10.9255600",
                "BTP-B 2001: CAM of station 305419896, 135 bytes",
            ],
        ),
        (3, ["GBC", "to circle of 500 m at 44.6472500, 10.9255600 no. 1 hops 10/10", "DENM of station 4711"]),
        (8, ["SHB", "lifetime 1.00 s, unsigned", "CPM of station 4711, 766 bytes"]),
        (9, ["BEACON", "hops 1/1", "unsigned"]),
        (15, ["SHB", "BTP-B 2006", "IVIM of station 1812140441"]),
    ] {
        assert!(parts.iter().all(|part| lines[line].contains(part)), "{}", lines[line]);
    }
    let json = good(&masa(&["v2x", "dissect", "--json", file], ""));
    let values: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let cam = &values[0]["packet"]["message"];
    assert_eq!((&cam["kind"], &cam["value"]["header"]["stationId"]), (&"CAM".into(), &305_419_896.into()));
    assert_eq!(values[3]["packet"]["area"]["a_m"], 500.0);
}

#[test]
fn malformed_frames_are_named_and_make_the_status_bad() {
    let test = "malformed_frames_are_named_and_make_the_status_bad";
    let Some(source) = test_data("frames.pcap", test) else { return };
    let folder = tempfile::tempdir().expect("temporary directory");
    let file = folder.path().join("damaged.pcap");
    let mut capture = CaptureWriter::create(&file).expect("a file");
    let record = CaptureReader::open(&source).expect("a capture").next().expect("a frame").expect("readable");
    let Content::Geonet { ethernet, .. } = record.content else { panic!("a GeoNetworking frame") };
    let damaged = |at: usize, octet: u8| {
        let mut bytes = ethernet.clone();
        bytes[at] = octet;
        bytes
    };
    // The header type at byte 19; BTP ends at byte 58, and the CAM's first octets are version and message id.
    for bytes in [damaged(19, 0x70), damaged(59, 200), ethernet[..100].to_vec(), ethernet.clone()] {
        capture.write(T0, &bytes).expect("written");
    }
    capture.finish().expect("written");
    let output = masa(&["v2x", "dissect", file.to_str().expect("UTF-8")], "");
    assert!(!output.status.success());
    let lines = text(&output.stdout);
    let lines: Vec<_> = lines.lines().collect();
    assert!(
        lines[0].contains("malformed: common header: header type at byte 19 bit 0: 112 is not supported"),
        "{lines:?}"
    );
    assert!(lines[1].contains("malformed: ") && lines[1].ends_with("in the message at byte 58"), "{lines:?}");
    assert!(lines[2].contains("malformed: payload at byte 54 bit 0: 139 octets needed, 46 left"), "{lines:?}");
    assert!(lines[3].contains("CAM of station"), "{lines:?}");
    assert!(text(&output.stderr).contains("1 SHB, 3 malformed"), "{}", text(&output.stderr));
}

#[test]
fn secured_frames_of_another_make_are_opened() {
    let Some(file) = test_data("signed.pcap", "secured_frames_of_another_make_are_opened") else { return };
    let lines = good(&masa(&["v2x", "dissect", file.to_str().expect("UTF-8")], ""));
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), 3);
    for (line, parts) in [
        (0, ["SHB", "signed with certificate 470ee5a6194de900 for ITS-AID 36,", "CAM of station 305419896"]),
        (1, ["SHB", "signed by 470ee5a6194de900 for ITS-AID 36,", "CAM of station 305419896"]),
        (2, ["GBC", "signed with certificate 470ee5a6194de900 for ITS-AID 37,", "DENM of station 4711"]),
    ] {
        assert!(parts.iter().all(|part| lines[line].contains(part)), "{}", lines[line]);
    }
}

/// Messages of every kind that tshark 4.0.17 knows, in frames of ours: none is malformed to it, each is what it should be.
/// Known to be wrong in it: DENMs with `companyName` (an alacarte container's company name) would be called malformed.
#[test]
fn tshark_dissects_our_frames_of_every_kind() {
    let test = "tshark_dissects_our_frames_of_every_kind";
    let folder = tempfile::tempdir().expect("temporary directory");
    for (kind, message_id, port, header_type) in [
        ("r1_cam", "2", "2001", "0x50"),
        ("r2_cam", "2", "2001", "0x50"),
        ("r1_denm", "1", "2002", "0x40"),
        ("r2_denm", "1", "2002", "0x40"),
        ("is13_SPATEM", "4", "2004", "0x50"),
        ("is13_MAPEM", "5", "2003", "0x50"),
        ("is13_IVIM", "6", "2006", "0x40"),
        ("is13_SREM", "9", "2007", "0x50"),
        ("is13_SSEM", "10", "2008", "0x50"),
        ("is13_RTCMEM", "13", "2013", "0x50"),
    ] {
        let Some(vectors) = test_data(&format!("{kind}.jsonl"), test) else { return };
        let vectors = std::fs::read_to_string(vectors).expect("readable");
        let parsed = vectors.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let wanted = parsed.filter(|vector| !vector["jer"].to_string().contains("companyName"));
        let vectors: Vec<_> = wanted.take(120).collect();
        assert!(vectors.len() > 80, "{kind}: {} vectors", vectors.len());
        let lines: String =
            vectors.iter().map(|vector| format!("{}\n", vector["uper"].as_str().expect("hex"))).collect();
        let file = folder.path().join(format!("{kind}.pcap"));
        good(&masa(&["v2x", "frames", file.to_str().expect("UTF-8")], &lines));
        let names = ["_ws.malformed", "its.messageID", "its.stationID", "btpb.dstport", "geonw.ch.htype"];
        let Some(found) = fields(&file, &names, test) else { return };
        assert_eq!(found.len(), vectors.len(), "{kind}");
        for (values, vector) in found.iter().zip(&vectors) {
            let header = &vector["jer"]["header"];
            let station = header.get("stationID").or(header.get("stationId")).expect("a station").to_string();
            assert_eq!(values, &["", message_id, &station, port, header_type], "{kind} seed {}", vector["seed"]);
        }
    }
}

#[test]
fn tshark_reads_every_header_as_we_wrote_it() {
    let test = "tshark_reads_every_header_as_we_wrote_it";
    let mac = |id| MacAddress([2, 0, 0, 0, 0, id]);
    let place = |lat_deg, lon_deg| Wgs84 { lat_deg, lon_deg, alt_m: 0.0 };
    let vector = |id, at: Wgs84| {
        LongPositionVector::new(GnAddress::new(5, mac(id)), T0, at, PositionAccuracy::Accurate).moving(-3.5, 271.5)
    };
    let (source, other) = (vector(1, place(44.65, 10.93)), vector(2, place(-33.5, -70.25)));
    let sequence = SequenceField { number: 4_242, reserved: 0 };
    let area = |shape| {
        let centre = place(44.651, 10.931);
        AreaField::from(&GeoArea { shape, centre, a_m: 700.0, b_m: 80.0, azimuth_deg: 45.0 })
    };
    use ExtendedHeader::{
        Beacon, GeoAnycast, GeoBroadcast, GeoUnicast, LocationReply, LocationRequest, SingleHop, Topological,
    };
    // Header, its type, and where in the fields below something must stand.
    let headers = [
        (Beacon { source }, "0x10", vec![]),
        (GeoUnicast { sequence, source, destination: other.short() }, "0x20", vec![(9, "0x1092"), (10, "-335000000")]),
        (GeoAnycast { sequence, source, area: area(Shape::Rectangle) }, "0x31", vec![(11, "446510000"), (14, "45")]),
        (GeoBroadcast { sequence, source, area: area(Shape::Ellipse) }, "0x42", vec![(12, "700"), (13, "80")]),
        (SingleHop { source, media_dependent: [0; 4] }, "0x50", vec![]),
        (Topological { sequence, source }, "0x51", vec![(9, "0x1092")]),
        (LocationRequest { sequence, source, wanted: other.address }, "0x60", vec![(15, "02:00:00:00:00:02")]),
        (LocationReply { sequence, source, destination: other.short() }, "0x61", vec![(10, "-335000000")]),
    ];
    let folder = tempfile::tempdir().expect("temporary directory");
    let file = folder.path().join("headers.pcap");
    let mut capture = CaptureWriter::create(&file).expect("a file");
    for (extended, ..) in &headers {
        let empty = matches!(extended, Beacon { .. } | LocationRequest { .. } | LocationReply { .. });
        let btp = [&Btp::A { destination: 9_000, source: 9_001 }.octets()[..], &[1, 2, 3]].concat();
        let common = CommonHeader {
            upper: if empty { UpperProtocol::Any } else { UpperProtocol::BtpA },
            traffic_class: TrafficClass(0x80 | 3),
            flags: 0x80,
            max_hops: 9,
            ..CommonHeader::default()
        };
        let payload: &[u8] = if empty { &[] } else { &btp };
        let plain = PlainPacket { common, extended: *extended, payload, padding: &[] };
        let basic = BasicHeader { lifetime: Lifetime::at_least(2.5), remaining_hops: 8, reserved: 0 };
        let packet = Packet { basic, body: Body::Plain(plain) };
        let ethernet = EthernetHeader { destination: MacAddress::BROADCAST, source: mac(1) };
        let frame = Frame { ethernet, packet };
        let mut bytes = vec![0; frame.bytes()];
        frame.encode(&mut bytes).expect("a frame");
        capture.write(T0, &bytes).expect("written");
    }
    capture.finish().expect("written");
    let names = [
        "_ws.malformed",
        "geonw.ch.htype",
        "geonw.bh.lt.mult",
        "geonw.bh.rhl",
        "geonw.ch.tc.id",
        "geonw.src_pos.addr.mid",
        "geonw.src_pos.lat",
        "geonw.src_pos.speed",
        "geonw.src_pos.hdg",
        "geonw.seq_num",
        "geonw.dst_pos.lat",
        "geonw.gxc.latitude",
        "geonw.gxc.distancea",
        "geonw.gxc.distanceb",
        "geonw.gxc.angle",
        "geonw.ls_req.addr.mid",
        "btpa.dstport",
    ];
    let Some(found) = fields(&file, &names, test) else { return };
    assert_eq!(found.len(), headers.len());
    for (values, (extended, header_type, more)) in found.iter().zip(&headers) {
        let expected = ["", header_type, "50", "8", "3", "02:00:00:00:00:01", "446500000", "-350", "2715"];
        assert_eq!(values[..9], expected, "{}", extended.name());
        for (at, value) in more {
            assert_eq!(&values[*at], value, "{} {}", extended.name(), names[*at]);
        }
        let has_payload = !matches!(extended, Beacon { .. } | LocationRequest { .. } | LocationReply { .. });
        assert_eq!(values[16], if has_payload { "9000" } else { "" }, "{}", extended.name());
    }
}
