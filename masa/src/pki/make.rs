//! Making a root, an authority and tickets; the only place that draws keys.

use super::{ApplicationSpec, CurveName, RegionSpec, ValiditySpec};
use anyhow::{Context, bail};
use clap::Args;
use masa_edge_node::keystore::{
    AUTHORITIES, ROOTS, create_closed_directory, load_ticket, write_certificate, write_key,
};
use masa_edge_node::sources::clock::Clock;
use masa_v2x_proto::security::{Curve, SigningKey, Time32, Validity, pki};
use masa_v2x_proto::time::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use std::path::PathBuf;

/// Certificates start so much earlier than now that clocks a little behind accept them, milliseconds.
const EARLIER_MS: i64 = 60_000;
/// Most tickets of one call.
const MAX_TICKETS: u16 = 1_000;

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The new directory: `trust` in it is for every station, the keys in it are for this command alone.
    directory: PathBuf,
    /// The curve of all keys.
    #[arg(long, value_enum, default_value = "nist-p256")]
    curve: CurveName,
    /// Names of root and authority begin so.
    #[arg(long, default_value = "test")]
    name: String,
    /// How long root and authority are valid: 72h, 7d, 3y.
    #[arg(long, default_value = "3y")]
    validity: ValiditySpec,
    /// Where they are valid: LAT,LON,RADIUS or NORTH,WEST,SOUTH,EAST; everywhere without it.
    #[arg(long, allow_hyphen_values = true)]
    region: Option<RegionSpec>,
}

#[derive(Debug, Args)]
pub(super) struct Issue {
    /// The directory that `masa pki init` made.
    directory: PathBuf,
    /// Name of the station: its tickets go to `stations/NAME`.
    #[arg(long, value_name = "NAME")]
    station: String,
    /// What the tickets permit: ITS-AID, or ITS-AID:SSP in hex; every message without it.
    #[arg(long, value_name = "AID[:SSP]")]
    its_aid: Vec<ApplicationSpec>,
    /// How many tickets.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_TICKETS)))]
    count: u16,
    /// Where they are valid: LAT,LON,RADIUS or NORTH,WEST,SOUTH,EAST; where the authority is without it.
    #[arg(long, allow_hyphen_values = true)]
    region: Option<RegionSpec>,
    /// How long they are valid: 72h, 7d.
    #[arg(long, default_value = "7d")]
    validity: ValiditySpec,
}

/// A key from the randomness of the operating system.
fn draw(curve: Curve) -> anyhow::Result<SigningKey> {
    let random = SystemRandom::new();
    let mut scalar = vec![0; if curve == Curve::BrainpoolP384r1 { 48 } else { 32 }];
    // A number above the order of the curve is drawn again: at most every second one is (brainpool).
    for _ in 0..256 {
        random.fill(&mut scalar).map_err(|_| anyhow::anyhow!("the operating system gives no randomness"))?;
        if let Ok(key) = SigningKey::from_scalar(curve, &scalar) {
            return Ok(key);
        }
    }
    bail!("the operating system's randomness is not random")
}

fn start(now: Timestamp) -> Time32 {
    Time32::of(now.plus_ms(-EARLIER_MS))
}

impl Init {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let directory = &self.directory;
        let curve = Curve::from(self.curve);
        let (root_key, authority_key) = (draw(curve)?, draw(curve)?);
        let validity = Validity { start: start(Clock::system().now()), duration: self.validity.0 };
        let region = self.region.map(|region| region.0);
        let name = |role: &str| format!("{}-{role}", self.name);
        if self.name.len() > 200 {
            bail!("a name has at most 200 bytes");
        }
        let root = pki::root(&name("root"), validity, region.clone(), &root_key);
        let public = authority_key.public_key();
        let authority = pki::authority(&name("authority"), validity, region, public, (&root, &root_key));
        let trust = directory.join("trust");
        for part in [ROOTS, AUTHORITIES] {
            create_closed_directory(&trust.join(part))?;
        }
        write_key(&directory.join("root.pem"), &root_key)?;
        write_key(&directory.join("authority.pem"), &authority_key)?;
        write_certificate(&directory.join("root.oer"), &root)?;
        write_certificate(&directory.join("authority.oer"), &authority)?;
        write_certificate(&trust.join(ROOTS).join("root.oer"), &root)?;
        write_certificate(&trust.join(AUTHORITIES).join("authority.oer"), &authority)?;
        println!("root {} and authority {} in {}", root.hashed_id8(), authority.hashed_id8(), directory.display());
        println!("a station needs a copy of {}, and tickets: masa pki issue", trust.display());
        Ok(())
    }
}

impl Issue {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if self.station.is_empty() || self.station.starts_with('.') || !self.station.chars().all(plain) {
            bail!("the name of a station has letters, digits, `-`, `_` and `.`: `{}`", self.station);
        }
        let authority = load_ticket(&self.directory.join("authority.oer")).context("the authority")?;
        let (certificate, authority_key) = (authority.certificate(), authority.key());
        let validity = Validity { start: start(Clock::system().now()), duration: self.validity.0 };
        if !certificate.to_be_signed.validity.contains(&validity) {
            bail!(
                "the authority is valid {}, which is less",
                super::show::validity(&certificate.to_be_signed.validity)
            );
        }
        let region = self.region.map(|region| region.0);
        let permissions = match self.its_aid.len() {
            0 => pki::all_permissions(),
            _ => self.its_aid.into_iter().map(|application| application.0).collect(),
        };
        let folder = self.directory.join("stations").join(&self.station);
        create_closed_directory(&folder)?;
        for _ in 0..self.count {
            let key = draw(authority_key.curve())?;
            let (permissions, region) = (permissions.clone(), region.clone());
            let ticket = pki::ticket(permissions, validity, region, key.public_key(), (certificate, authority_key));
            // Named after itself, so that further ones can be issued beside it.
            let path = folder.join(format!("{}.oer", ticket.hashed_id8()));
            write_key(&path.with_extension("pem"), &key)?;
            write_certificate(&path, &ticket)?;
        }
        println!("{} tickets for {} in {}", self.count, self.station, folder.display());
        Ok(())
    }
}
