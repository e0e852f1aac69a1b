//! `masa pki` as its users run it.

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
