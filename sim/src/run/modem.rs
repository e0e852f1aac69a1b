//! A station's radio: the GeoNetworking router and the security entity of the product, over simulated air.
//!
//! In: messages of the node, frames of others, time. Out: frames for the air, received messages with their verdicts: what
//! `masa_links::geonet` does with sockets at the roadside.

use masa_edge_node::effect::OutMessage;
use masa_edge_node::event::ReceivedMessage;
use masa_v2x_proto::geonet::{
    Actions, Btp, MacAddress, Mobility, Position, Request, Router, RouterSettings, UntrustedPackets, port_of,
};
use masa_v2x_proto::security::{
    Curve, Duration, DurationUnit, SecurityEntity, SecurityService, SecuritySettings, SigningKey, StationCredentials,
    Ticket, Time32, Validity, pki,
};
use masa_v2x_proto::time::Timestamp;

/// A station's radio.
#[derive(Debug)]
pub(crate) struct Modem {
    router: Router,
    security: Option<SecurityEntity>,
    /// Messages that the router refused.
    pub(crate) refused: u64,
}

/// What comes out of a modem: frames for the air, messages for the node.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) messages: Vec<ReceivedMessage>,
}

impl Modem {
    pub(crate) fn new(
        station_id: u32,
        station_type: u8,
        mobility: Mobility,
        security: Option<SecurityEntity>,
        range_m: f64,
        now: Timestamp,
    ) -> Self {
        let [a, b, c, d] = station_id.to_be_bytes();
        let settings = RouterSettings {
            // A locally administered address.
            mac: MacAddress([0x02, 0x00, a, b, c, d]),
            station_type,
            mobility,
            range_m,
            untrusted: UntrustedPackets::Deliver,
            ..RouterSettings::default()
        };
        Self { router: Router::new(settings, now), security, refused: 0 }
    }

    pub(crate) fn moved(&mut self, position: Position, now: Timestamp) {
        self.router.set_position(position);
        if let Some(security) = &mut self.security {
            security.moved(position.at, now);
        }
    }

    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.router.wake_at()
    }

    pub(crate) fn send(&mut self, message: &OutMessage, now: Timestamp) -> Output {
        let mut out = Actions::default();
        if let Some(port) = port_of(message.kind) {
            let request = Request {
                btp: Btp::to_port(port),
                message: &message.uper,
                dissemination: message.dissemination,
                repetition: None,
            };
            let security = self.security.as_mut().map(|entity| entity as &mut dyn SecurityService);
            if let Err(error) = self.router.send(&request, now, security, &mut out) {
                tracing::debug!(message = message.id, %error, "not sent");
                self.refused += 1;
            }
        }
        self.finish(out, now)
    }

    pub(crate) fn receive(&mut self, frame: &[u8], now: Timestamp) -> Output {
        let mut out = Actions::default();
        let security = self.security.as_mut().map(|entity| entity as &mut dyn SecurityService);
        if let Err(error) = self.router.receive(frame, now, security, &mut out) {
            tracing::debug!(%error, bytes = frame.len(), "malformed frame");
        }
        self.finish(out, now)
    }

    pub(crate) fn poll(&mut self, now: Timestamp) -> Output {
        self.finish(Actions::default(), now)
    }

    fn finish(&mut self, mut out: Actions, now: Timestamp) -> Output {
        let security = self.security.as_mut().map(|entity| entity as &mut dyn SecurityService);
        self.router.poll(now, security, &mut out);
        let messages = out.indications.into_iter().map(|indication| ReceivedMessage {
            link: "geonet".to_owned(),
            origin: indication.header.source().address.to_string(),
            uper: indication.message,
            verdict: indication.verdict,
            received_at: now,
        });
        Output { messages: messages.collect(), frames: out.frames.into_iter().map(|frame| frame.bytes).collect() }
    }
}

/// The authorities of a simulated world: a root, an authority below it, a ticket for each station.
#[derive(Debug)]
pub(crate) struct Authorities {
    validity: Validity,
    root: masa_v2x_proto::security::Certificate,
    authority: masa_v2x_proto::security::Certificate,
    authority_key: SigningKey,
}

impl Authorities {
    /// Authorities whose certificates hold for a day around `start`.
    pub(crate) fn new(start: Timestamp) -> Self {
        Self::with_keys(start, [1, 2])
    }

    /// Authorities that nobody trusts.
    pub(crate) fn unknown(start: Timestamp) -> Self {
        Self::with_keys(start, [3, 4])
    }

    fn with_keys(start: Timestamp, keys: [u64; 2]) -> Self {
        let start = Time32::of(start.plus_ms(-3_600_000));
        let validity = Validity { start, duration: Duration { count: 24, unit: DurationUnit::Hours } };
        let root_key = key(keys[0]);
        let root = pki::root("simulated root", validity, None, &root_key);
        let authority_key = key(keys[1]);
        let public = authority_key.public_key();
        let authority = pki::authority("simulated authority", validity, None, public, (&root, &root_key));
        Self { validity, root, authority, authority_key }
    }

    /// The ticket of a station.
    pub(crate) fn ticket(&self, station_id: u32) -> Ticket {
        let key = key(u64::from(station_id) + 1_000);
        let certificate = pki::ticket(
            pki::all_permissions(),
            self.validity,
            None,
            key.public_key(),
            (&self.authority, &self.authority_key),
        );
        Ticket::new(certificate, key).expect("made for this key")
    }

    /// The security entity of a station.
    pub(crate) fn entity(&self, station_id: u32) -> SecurityEntity {
        let credentials = StationCredentials {
            roots: vec![self.root.clone()],
            authorities: vec![self.authority.clone()],
            tickets: vec![self.ticket(station_id)],
            revoked: Vec::new(),
        };
        SecurityEntity::new(SecuritySettings::default(), credentials, u64::from(station_id))
            .expect("the authorities trust each other")
    }
}

/// Keys of a simulated world are numbers: nobody is to trust them.
fn key(number: u64) -> SigningKey {
    let mut scalar = [0; 32];
    scalar[24..].copy_from_slice(&number.to_be_bytes());
    SigningKey::from_scalar(Curve::NistP256, &scalar).expect("not zero and below the order")
}
