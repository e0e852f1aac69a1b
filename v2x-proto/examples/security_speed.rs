//! Signing and verifying per curve, with bare operations of the crates in the same run, and the size of envelopes.
//!
//! `cargo run --release -p masa-v2x-proto --example security_speed [SECONDS]` measures each for so long, 2 s without it.
//! One core; the ratio to the bare operation is what holds on another machine.

use ecdsa::signature::{Signer as _, Verifier as _};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::security::{
    Curve, Duration, DurationUnit, PlausibilityLimits, SecurityEntity, SecurityService, SecuritySettings, SignRequest,
    SigningKey, StationCredentials, Ticket, Time32, Validity, Verdict, pki,
};
use masa_v2x_proto::time::Timestamp;
use std::time::Instant;

const NOW: Timestamp = Timestamp::from_unix_ms(1_772_366_400_000);
const HOME: Wgs84 = Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 40.0 };
/// A CAM of a roadside unit, 45 bytes.
const CAM: &str = include_str!("../tests/samples/cam.hex");

fn main() {
    let seconds: f64 = std::env::args().nth(1).map_or(2.0, |text| text.parse().expect("seconds"));
    let bare = [bare_p256(seconds), bare_brainpool(seconds)];
    println!(
        "{:<17} {:>10} {:>8} {:>10} {:>8} {:>12} {:>8}",
        "", "sign/s", "of bare", "verify/s", "of bare", "with cert.", "digest"
    );
    for (curve, bare) in [Curve::NistP256, Curve::BrainpoolP256r1, Curve::BrainpoolP384r1].iter().zip([
        Some(bare[0]),
        Some(bare[1]),
        None,
    ]) {
        let row = station(*curve, seconds);
        let of =
            |ours: f64, bare: Option<f64>| bare.map_or_else(|| "-".to_owned(), |bare| format!("{:.2}", ours / bare));
        println!(
            "{:<17} {:>10.0} {:>8} {:>10.0} {:>8} {:>10} B {:>6} B",
            curve.name(),
            row.sign,
            of(row.sign, bare.map(|bare| bare.0)),
            row.verify,
            of(row.verify, bare.map(|bare| bare.1)),
            row.with_certificate,
            row.with_digest
        );
    }
}

/// Calls a second; `run` is told which call it is.
#[allow(clippy::disallowed_methods, reason = "a measurement")]
fn rate(seconds: f64, mut run: impl FnMut(u64)) -> f64 {
    let start = Instant::now();
    let mut count = 0;
    loop {
        for _ in 0..16 {
            run(count);
            count += 1;
        }
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed >= seconds {
            return count as f64 / elapsed;
        }
    }
}

/// p256 signs, ring verifies and signs: what we use, and the fastest there is.
fn bare_p256(seconds: f64) -> (f64, f64) {
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
    };
    let message = [7; 64];
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("a key");
    let sign = rate(seconds, |_| drop(std::hint::black_box::<p256::ecdsa::Signature>(key.sign(&message))));
    let random = ring::rand::SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).expect("a key");
    let ring_sign = rate(seconds, |_| drop(std::hint::black_box(pair.sign(&random, &message).expect("a signature"))));
    let signature = pair.sign(&random, &message).expect("a signature");
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
    let verify = rate(seconds, |_| public.verify(&message, signature.as_ref()).expect("it holds"));
    let (ours, signature): (_, p256::ecdsa::Signature) = (key.verifying_key(), key.sign(&message));
    let p256_verify = rate(seconds, |_| ours.verify(&message, &signature).expect("it holds"));
    println!(
        "bare P-256: p256 {sign:.0} sign/s {p256_verify:.0} verify/s; ring {ring_sign:.0} sign/s {verify:.0} verify/s"
    );
    (sign, verify)
}

fn bare_brainpool(seconds: f64) -> (f64, f64) {
    let message = [7; 64];
    let key: ecdsa::SigningKey<bp256::BrainpoolP256r1> = ecdsa::SigningKey::from_slice(&[7; 32]).expect("a key");
    let sign = rate(seconds, |_| drop(std::hint::black_box::<bp256::r1::ecdsa::Signature>(key.sign(&message))));
    let (public, signature): (_, bp256::r1::ecdsa::Signature) = (key.verifying_key(), key.sign(&message));
    let verify = rate(seconds, |_| public.verify(&message, &signature).expect("it holds"));
    println!("bare brainpoolP256r1: bp256 {sign:.0} sign/s {verify:.0} verify/s");
    (sign, verify)
}

struct Row {
    sign: f64,
    verify: f64,
    with_certificate: usize,
    with_digest: usize,
}

fn key(curve: Curve, number: u8) -> SigningKey {
    let length = if curve == Curve::BrainpoolP384r1 { 48 } else { 32 };
    SigningKey::from_scalar(curve, &vec![number; length]).expect("a key")
}

/// A single-hop packet around a CAM.
fn packet() -> Vec<u8> {
    let digits = CAM.trim();
    let cam = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("digits"));
    let cam: Vec<u8> = cam.collect();
    let mut packet = vec![
        0x20,
        0x50,
        0x02,
        0x80,
        0,
        cam.len() as u8 + 4,
        1,
        0,
        0xBC,
        0,
        2,
        0x4C,
        0x55,
        0x49,
        0x47,
        0x89,
        0,
        0,
        0,
        0,
    ];
    packet.extend(446_500_000_i32.to_be_bytes());
    packet.extend(109_300_000_i32.to_be_bytes());
    packet.extend([0x80, 0, 0, 0, 0, 0, 0, 0, 0x07, 0xD1, 0, 0]);
    packet.extend(cam);
    packet
}

/// A station signs CAMs 1 ms apart, another one judges them in full: each is new.
fn station(curve: Curve, seconds: f64) -> Row {
    let start = Time32::of(NOW.plus_ms(-3_600_000));
    let validity = Validity { start, duration: Duration { count: 24, unit: DurationUnit::Hours } };
    let root = pki::root("root", validity, None, &key(curve, 1));
    let authority = pki::authority("authority", validity, None, key(curve, 2).public_key(), (&root, &key(curve, 1)));
    // As the certificates of DESIGN.md: permissions for CAM and DENM.
    let permissions = [36, 37].into_iter().filter_map(pki::full_permission).collect();
    let ticket = pki::ticket(permissions, validity, None, key(curve, 9).public_key(), (&authority, &key(curve, 2)));
    let ticket = Ticket::new(ticket, key(curve, 9)).expect("its key");
    let credentials = |tickets| StationCredentials {
        roots: vec![root.clone()],
        authorities: vec![authority.clone()],
        tickets,
        revoked: Vec::new(),
    };
    let settings = SecuritySettings { plausibility: PlausibilityLimits::default(), ..SecuritySettings::default() };
    let entity = |tickets| SecurityEntity::new(settings.clone(), credentials(tickets), 1).expect("trusted");
    let (mut sender, packet) = (entity(vec![ticket]), packet());
    let mut sign = |at: Timestamp| {
        let mut out = Vec::new();
        sender.sign(&SignRequest { payload: &packet, its_aid: 36, position: HOME }, at, &mut out).expect("a ticket");
        out
    };
    let with_certificate = sign(NOW).len();
    let with_digest = sign(NOW.plus_ms(1)).len();
    let sign_rate = rate(seconds, |count| drop(sign(NOW.plus_ms(2 + count as i64))));
    let envelopes: Vec<_> =
        (0..2_000).map(|index| (NOW.plus_ms(1_000_000 + index), sign(NOW.plus_ms(1_000_000 + index)))).collect();
    let mut receiver = entity(Vec::new());
    let verify_rate = rate(seconds, |count| {
        let index = count as usize % envelopes.len();
        if index == 0 {
            receiver = entity(Vec::new());
        }
        let (at, envelope) = &envelopes[index];
        assert!(matches!(receiver.unwrap(envelope, *at).verdict, Verdict::Verified(_)));
    });
    Row { sign: sign_rate, verify: verify_rate, with_certificate, with_digest }
}
