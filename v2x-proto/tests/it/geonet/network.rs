//! A simulated radio: every frame reaches whoever is in range, after a fixed delay; time goes from event to event.

use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::geonet::{
    Actions, Btp, Dissemination, EthernetHeader, GeoArea, GnAddress, Indication, MacAddress, PacketDrop, Position,
    Request, Router, RouterSettings, Scope, Shape, TrafficClass,
};
use masa_v2x_proto::time::Timestamp;

pub(crate) const T0: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);
pub(crate) const ORIGIN: Wgs84 = Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 0.0 };
/// Time on air.
const DELAY_NS: i64 = 300_000;

pub(crate) fn at(e_m: f64, n_m: f64) -> Wgs84 {
    SiteFrame::new(ORIGIN).to_wgs84(Enu::ground(e_m, n_m))
}

pub(crate) fn mac(id: usize) -> MacAddress {
    let [high, low] = (id as u16).to_be_bytes();
    MacAddress([2, 0, 0, 0, high, low])
}

pub(crate) fn address(id: usize) -> GnAddress {
    GnAddress::new(15, mac(id))
}

pub(crate) fn circle(e_m: f64, radius_m: f64) -> GeoArea {
    GeoArea { shape: Shape::Circle, centre: at(e_m, 0.0), a_m: radius_m, b_m: 0.0, azimuth_deg: 0.0 }
}

pub(crate) fn to(scope: Scope) -> Dissemination {
    Dissemination { scope, traffic_class: 1, lifetime_s: 5.0 }
}

pub(crate) fn request(scope: Scope) -> Request<'static> {
    Request { btp: Btp::to_port(2002), message: b"message", dissemination: to(scope), repetition: None }
}

/// A router `id` at `e_m` metres east of the origin.
pub(crate) fn router(id: usize, e_m: f64, change: impl FnOnce(&mut RouterSettings)) -> Router {
    // A range a little above the distance of neighbours.
    let mut settings = RouterSettings { mac: mac(id), range_m: 250.0, ..RouterSettings::default() };
    change(&mut settings);
    let mut router = Router::new(settings, T0);
    router.set_position(Position::surveyed(at(e_m, 0.0), T0));
    router
}

struct InFlight {
    arrives: Timestamp,
    from: usize,
    bytes: Vec<u8>,
}

/// Routers along a road and the frames between them.
pub(crate) struct Network {
    pub(crate) routers: Vec<Router>,
    places_m: Vec<f64>,
    range_m: f64,
    pub(crate) now: Timestamp,
    air: Vec<InFlight>,
    /// Who was handed what, in order.
    pub(crate) delivered: Vec<(usize, Indication)>,
    /// Frames on the air, without beacons.
    pub(crate) frames: usize,
}

impl Network {
    /// Routers at `places_m` that have exchanged beacons.
    pub(crate) fn new(places_m: &[f64], range_m: f64, change: impl Fn(&mut RouterSettings)) -> Self {
        let routers = places_m.iter().enumerate().map(|(id, &e_m)| router(id, e_m, &change)).collect();
        let (air, delivered) = (Vec::new(), Vec::new());
        let mut network = Self { routers, places_m: places_m.to_vec(), range_m, now: T0, air, delivered, frames: 0 };
        network.run_for(8_000);
        network.frames = 0;
        network
    }

    pub(crate) fn send(&mut self, from: usize, request: &Request<'_>) {
        let mut out = Actions::default();
        self.routers[from].send(request, self.now, None, &mut out).expect("a message that can be sent");
        self.emit(from, out);
    }

    fn emit(&mut self, from: usize, out: Actions) {
        for frame in out.frames {
            // Header type 1 is a beacon.
            self.frames += usize::from(frame.bytes[EthernetHeader::BYTES + 5] != 0x10);
            self.air.push(InFlight { arrives: self.now.plus_ns(DELAY_NS), from, bytes: frame.bytes });
        }
        self.delivered.extend(out.indications.into_iter().map(|indication| (from, indication)));
    }

    /// Lets `ms` milliseconds pass.
    pub(crate) fn run_for(&mut self, ms: i64) {
        let until = self.now.plus_ms(ms);
        loop {
            let timers = self.routers.iter().filter_map(Router::wake_at);
            let next = self.air.iter().map(|frame| frame.arrives).chain(timers).min();
            let Some(next) = next.filter(|&next| next <= until) else { break };
            self.now = self.now.max(next);
            let (arrived, flying) = std::mem::take(&mut self.air).into_iter().partition(|f| f.arrives <= self.now);
            self.air = flying;
            let arrived: Vec<InFlight> = arrived;
            for frame in arrived {
                for id in 0..self.routers.len() {
                    let distance_m = (self.places_m[id] - self.places_m[frame.from]).abs();
                    if id != frame.from && distance_m <= self.range_m {
                        let mut out = Actions::default();
                        self.routers[id].receive(&frame.bytes, self.now, None, &mut out).expect("a good frame");
                        self.emit(id, out);
                    }
                }
            }
            for id in 0..self.routers.len() {
                let mut out = Actions::default();
                self.routers[id].poll(self.now, None, &mut out);
                self.emit(id, out);
            }
        }
        self.now = until;
    }

    /// Who was handed a message, in the order of places.
    pub(crate) fn receivers(&self) -> Vec<usize> {
        let mut ids: Vec<_> = self.delivered.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    pub(crate) fn dropped(&self, reason: PacketDrop) -> u64 {
        self.routers.iter().map(|router| router.counters().dropped(reason)).sum()
    }
}

/// A request whose packet may wait for a neighbour.
pub(crate) fn carried(bytes: &mut [u8]) {
    bytes[EthernetHeader::BYTES + 6] |= TrafficClass(0x80).0;
}
