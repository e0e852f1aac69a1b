//! `masa pki`: certificates of one's own to sign and verify V2X messages with.

mod make;
mod show;
mod spec;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use masa_edge_node::keystore::{SecuritySection, load_certificate, load_credentials};
use masa_edge_node::sources::clock::Clock;
use masa_v2x_proto::security::{
    Certificate, Envelope, HashedId8, SecurityEntity, SecurityService, SecuritySettings, SignRequest,
    StationCredentials, TrustStore, Verdict,
};
use spec::{ApplicationSpec, CurveName, RegionSpec, ValiditySpec};
use std::io::{self, BufRead, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Make, show and check certificates of V2X messages (TS 103 097).
#[derive(Debug, Args)]
pub(crate) struct Pki {
    #[command(subcommand)]
    command: PkiCommand,
}

#[derive(Debug, Subcommand)]
enum PkiCommand {
    /// Make a root and an authority in a new directory, for tests and laboratories.
    Init(make::Init),
    /// Issue tickets (pseudonym certificates) to a station.
    Issue(make::Issue),
    /// Print what is in a certificate.
    Show {
        /// The certificate (.oer).
        file: PathBuf,
    },
    /// Say whether a certificate leads to a trusted root and is valid now, or an envelope to a trusted ticket.
    Verify {
        /// The certificate or envelope (.oer).
        file: PathBuf,
        /// The trust directory, with `roots`, `authorities` and `revoked.txt`.
        #[arg(long, value_name = "DIR")]
        trust: PathBuf,
    },
    /// Read packets as hex (common header onwards), one a line; print their signed envelopes as hex.
    Sign(Sign),
}

#[derive(Debug, Args)]
struct Sign {
    /// The trust directory.
    #[arg(long, value_name = "DIR")]
    trust: PathBuf,
    /// The ticket directory.
    #[arg(long, value_name = "DIR")]
    tickets: PathBuf,
    /// The application to sign for (ITS-AID): 36 CAM, 37 DENM, 639 CPM.
    #[arg(long)]
    its_aid: u32,
    /// Where the station is: latitude and longitude, degrees.
    #[arg(long, num_args = 2, value_names = ["LAT", "LON"], allow_negative_numbers = true)]
    position: Vec<f64>,
}

impl Pki {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            PkiCommand::Init(init) => init.run(),
            PkiCommand::Issue(issue) => issue.run(),
            PkiCommand::Show { file } => {
                print!("{}", show::certificate(&load_certificate(&file)?));
                Ok(())
            }
            PkiCommand::Verify { file, trust } => verify(&file, &trust),
            PkiCommand::Sign(sign) => sign.run(),
        }
    }
}

fn verify(file: &Path, trust: &Path) -> anyhow::Result<()> {
    let credentials = load_credentials(trust, None)?;
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    match (Certificate::decode(&bytes), Envelope::decode(&bytes)) {
        (Ok(certificate), _) => verify_certificate(certificate, credentials),
        (_, Ok(envelope)) => verify_envelope(&envelope, &bytes, credentials),
        (Err(as_certificate), Err(as_envelope)) => {
            bail!("{} is no certificate ({as_certificate}) and no envelope ({as_envelope})", file.display())
        }
    }
}

fn verify_certificate(certificate: Certificate, credentials: StationCredentials) -> anyhow::Result<()> {
    let mut store = TrustStore::new(NonZeroUsize::MIN);
    let mut known = Vec::new();
    let roots: Vec<_> = credentials.roots.iter().map(Certificate::hashed_id8).collect();
    for root in credentials.roots {
        known.push(store.add_root(root).context("a root of the trust directory")?);
    }
    for authority in credentials.authorities {
        known.push(store.add_authority(authority).context("an authority of the trust directory")?);
    }
    credentials.revoked.into_iter().for_each(|id| store.revoke(id));
    let (id, validity) = (certificate.hashed_id8(), certificate.to_be_signed.validity);
    let trusted = if known.contains(&id) {
        store.authority(id).context("an authority that is known")?.clone()
    } else if certificate.to_be_signed.issue_permissions.is_empty() {
        store.trust_ticket(&certificate)?
    } else {
        let id = store.add_authority(certificate)?;
        store.authority(id).context("an authority that was added")?.clone()
    };
    if store.is_revoked(&trusted) {
        bail!("{id} or one of its issuers is revoked");
    }
    let now = Clock::system().now();
    if !validity.holds(now) {
        bail!("{id} is not valid now: {}", show::validity(&validity));
    }
    let mut chain = vec![id];
    let mut issuer = trusted.certificate().issuer.digest();
    while let Some(above) = issuer.filter(|above| !chain.contains(above)) {
        chain.push(above);
        issuer = store.authority(above).and_then(|trusted| trusted.certificate().issuer.digest());
    }
    let chain: Vec<_> = chain.iter().map(HashedId8::to_string).collect();
    let end = if roots.contains(&id) { " (a trusted root)" } else { "" };
    println!("trusted: {}{end}", chain.join(" < "));
    Ok(())
}

/// Judges an envelope as if it had come when it was generated: a stored one is always too old.
fn verify_envelope(envelope: &Envelope<'_>, bytes: &[u8], credentials: StationCredentials) -> anyhow::Result<()> {
    let generated = match envelope {
        Envelope::Signed(signed) => signed.to_be_signed.header.generation_time.map(|time| time.timestamp()),
        Envelope::Unsecured(_) => None,
    };
    let now = generated.unwrap_or_else(|| Clock::system().now());
    let mut entity = SecurityEntity::new(SecuritySettings::default(), credentials, 0)?;
    let opened = entity.unwrap(bytes, now);
    match opened.verdict {
        Verdict::Verified(by) => {
            let (id, bytes) = (HashedId8(by.certificate), opened.payload.len());
            println!("trusted: ITS-AID {}, {bytes} bytes, signed by {id}", opened.its_aid);
            Ok(())
        }
        Verdict::Refused(refusal) => bail!("refused: {refusal:?}"),
        Verdict::Unsigned => bail!("not signed"),
    }
}

impl Sign {
    fn run(self) -> anyhow::Result<()> {
        let section =
            SecuritySection { trust: self.trust, tickets: Some(self.tickets), rules: SecuritySettings::default() };
        let mut entity = section.entity(0)?;
        let [lat_deg, lon_deg] = self.position[..] else { bail!("--position LAT LON") };
        let position = masa_v2x_proto::geo::Wgs84 { lat_deg, lon_deg, alt_m: 0.0 };
        let clock = Clock::system();
        let mut out = io::stdout().lock();
        for line in io::stdin().lock().lines() {
            let line = line.context("reading the packets")?;
            let payload = crate::v2x::from_hex(line.trim())?;
            let mut envelope = Vec::new();
            entity.moved(position, clock.now());
            let request = SignRequest { payload: &payload, its_aid: self.its_aid, position };
            entity.sign(&request, clock.now(), &mut envelope)?;
            writeln!(out, "{}", crate::replay::hex(&envelope))?;
        }
        Ok(())
    }
}
