//! `masa pki` as its users run it.

use masa_edge_node::keystore::SecuritySection;
use masa_edge_node::sources::clock::Clock;
use masa_links::geonet::capture::CaptureWriter;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{
    Actions, Btp, Dissemination, Position, Request, Router, RouterSettings, Security, port_of,
};
use masa_v2x_proto::security::SecuritySettings;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, MessageKind};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn masa(arguments: &[&str], folder: &Path, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_masa"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("the program reads");
    child.wait_with_output().expect("the program ends")
}

fn good(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn bad(output: &Output) -> String {
    assert!(!output.status.success(), "it should fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn tickets(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("tickets were issued");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "oer"));
    paths.sort();
    paths
}

/// A single-hop packet around no message, as `masa pki sign` reads it.
const PACKET: &str = "2050028000000100bc00024c5549478900000000 1a9d0ca0 0683c920 8000 0000 00000000";

#[test]
fn certificates_are_made_shown_and_verified() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let run = |arguments: &[&str]| masa(arguments, folder.path(), "");
    good(&run(&["pki", "init", "pki", "--region", "45,10,44,11", "--validity", "30d"]));
    assert!(bad(&run(&["pki", "init", "pki"])).contains("root.pem"), "keys are not overwritten");
    let issue = ["pki", "issue", "pki", "--station", "rsu1", "--its-aid", "36", "--its-aid", "37:01ffffff"];
    good(&run(&[&issue[..], &["--count", "3", "--validity", "7d", "--region", "44.65,10.93,3000"]].concat()));

    let stored = tickets(&folder.path().join("pki/stations/rsu1"));
    assert_eq!(stored.len(), 3);
    let ticket = stored[0].to_str().expect("UTF-8");
    let shown = good(&run(&["pki", "show", ticket]));
    for part in ["an authorization ticket", "3000 m around 44.65, 10.93", "ITS-AID 37, SSP 01ffffff", "nist-p256"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let verify = |file: &str| run(&["pki", "verify", file, "--trust", "pki/trust"]);
    assert!(good(&verify(ticket)).starts_with("trusted: "));
    assert!(good(&verify("pki/root.oer")).contains("a trusted root"));

    // A revoked ticket, an issuer that is not trusted, a region that the authority does not have.
    let id = stored[0].file_stem().and_then(|name| name.to_str()).expect("UTF-8");
    std::fs::write(folder.path().join("pki/trust/revoked.txt"), format!("{id} # lost\n")).expect("writable");
    assert!(bad(&verify(ticket)).contains("revoked"));
    std::fs::remove_file(folder.path().join("pki/trust/revoked.txt")).expect("removable");
    good(&run(&["pki", "init", "other", "--curve", "brainpool-p256r1"]));
    assert!(bad(&run(&["pki", "verify", ticket, "--trust", "other/trust"])).contains("which is not known"));
    good(&run(&["pki", "issue", "pki", "--station", "far", "--region", "48,11,1000"]));
    let far = tickets(&folder.path().join("pki/stations/far"));
    let far = far[0].to_str().expect("UTF-8");
    assert!(bad(&verify(far)).contains("valid where its issuer is not"));
}

#[test]
fn a_packet_is_signed_with_closed_keys_only() {
    let folder = tempfile::tempdir().expect("temporary directory");
    good(&masa(&["pki", "init", "pki"], folder.path(), ""));
    good(&masa(&["pki", "issue", "pki", "--station", "rsu1"], folder.path(), ""));
    let tickets_folder = "pki/stations/rsu1";
    let sign = || {
        let arguments = ["pki", "sign", "--trust", "pki/trust", "--tickets", tickets_folder, "--its-aid", "36"];
        let position = ["--position", "44.65", "10.93"];
        masa(&[&arguments[..], &position].concat(), folder.path(), &format!("{}\n", PACKET.replace(' ', "")))
    };
    let envelope = good(&sign());
    let digits = envelope.trim();
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"));
    std::fs::write(folder.path().join("envelope.oer"), bytes.collect::<Vec<_>>()).expect("writable");
    let verified = masa(&["pki", "verify", "envelope.oer", "--trust", "pki/trust"], folder.path(), "");
    assert!(good(&verified).contains("ITS-AID 36"));

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = tickets(&folder.path().join(tickets_folder))[0].with_extension("pem");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&key), mode(&folder.path().join(tickets_folder))), (0o600, 0o700));
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("ours");
        assert!(bad(&sign()).contains("chmod 600"));
    }
}

/// A CAM as the frame that a station sends.
fn frame(message: &[u8], now: Timestamp, security: Security<'_>) -> Vec<u8> {
    let mut router = Router::new(RouterSettings::default(), now);
    router.set_position(Position::surveyed(Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 0.0 }, now));
    let port = port_of(MessageKind::Cam).expect("a CAM has a port");
    let request =
        Request { btp: Btp::to_port(port), message, dissemination: Dissemination::default(), repetition: None };
    let mut out = Actions::default();
    router.send(&request, now, security, &mut out).expect("a frame");
    out.frames.remove(0).bytes
}

#[test]
fn a_capture_is_dissected_with_a_trust_directory() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let run = |arguments: &[&str]| masa(arguments, folder.path(), "");
    good(&run(&["pki", "init", "pki", "--validity", "30d"]));
    good(&run(&["pki", "issue", "pki", "--station", "car", "--validity", "7d"]));
    let section = SecuritySection {
        trust: folder.path().join("pki/trust"),
        tickets: Some(folder.path().join("pki/stations/car")),
        rules: SecuritySettings::default(),
    };
    let mut entity = section.entity(1).expect("what `masa pki` made");
    let cam = include_str!("../../v2x-proto/tests/samples/cam.hex").trim();
    let cam: Vec<u8> =
        (0..cam.len()).step_by(2).map(|at| u8::from_str_radix(&cam[at..at + 2], 16).expect("hex")).collect();
    assert!(matches!(Message::decode(&cam), Ok(Message::Cam(_))));
    let now = Clock::system().now();
    let signed = frame(&cam, now, Some(&mut entity));
    let mut forged = signed.clone();
    let station = forged.windows(6).position(|bytes| *bytes == cam[..6]).expect("the CAM is readable in it");
    forged[station + 5] ^= 1;
    let path = folder.path().join("drive.pcap");
    let mut capture = CaptureWriter::create(&path).expect("a file");
    let a_year = 365 * 86_400_000;
    for (at, bytes) in
        [(now, &signed), (now.plus_ms(1), &forged), (now.plus_ms(2), &signed), (now.plus_ms(a_year), &signed)]
    {
        capture.write(at, bytes).expect("written");
    }
    capture.write(now, &frame(&cam, now, None)).expect("written");
    capture.finish().expect("written");

    let verdicts = |trust: &[&str]| {
        let lines = good(&run(&[&["v2x", "dissect", "drive.pcap"], trust].concat()));
        let after = |line: &str| match line.split_once("for ITS-AID 36") {
            Some((_, rest)) => rest.split(", BTP-B").next().unwrap_or_default().trim().to_owned(),
            None => "no envelope".to_owned(),
        };
        lines.lines().map(after).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&[]), ["", "", "", "", "no envelope"], "nothing is judged");
    let trust = ["--trust", "pki/trust"];
    let judged = verdicts(&trust);
    assert_eq!(
        judged,
        ["(verified)", "(refused: bad-signature)", "(refused: replayed)", "(refused: too-old)", "no envelope"]
    );
    let ticket = &tickets(&folder.path().join("pki/stations/car"))[0];
    let id = ticket.file_stem().and_then(|name| name.to_str()).expect("UTF-8");
    let revoked = folder.path().join("pki/trust/revoked.txt");
    std::fs::write(&revoked, format!("{id} # stolen\n")).expect("writable");
    assert_eq!(verdicts(&trust)[0], "(refused: certificate-revoked)");
    std::fs::write(&revoked, "stolen\n").expect("writable");
    assert!(bad(&run(&["v2x", "dissect", "drive.pcap", "--trust", "pki/trust"])).contains("revoked.txt:1: "));
    good(&run(&["pki", "init", "other"]));
    assert_eq!(verdicts(&["--trust", "other/trust"])[0], "(refused: untrusted-chain)");
    assert!(bad(&run(&["v2x", "dissect", "drive.pcap", "--trust", "nowhere"])).contains("nowhere/roots"));
}
