//! A town of straight streets with cars, bicycles and people, signals and a station at every crossing, for tests of the page
//! and for measuring it. What it says are real messages; the traffic is as simple as can be.
#![allow(clippy::unwrap_used)]

use super::messages;
use masa_data_room::entity::{CrowdFlow, Entity, Form, Geometry, Origin, Position, TrafficFlow};
use masa_data_room::{Kind, Record, Sensitivity, Source, Tenant};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;
use serde_json::{Value, json};

/// Between two crossings, metres.
const BLOCK_M: f64 = 120.0;
/// From the middle of a street to the middle of a lane, the cycle lane and the pavement, metres.
const LANE_M: f64 = 1.75;
const CYCLE_M: f64 = 4.4;
const PAVEMENT_M: f64 = 6.6;
/// From the middle of a crossing to its stop lines, metres.
const STOP_M: f64 = 11.0;
/// Green, yellow and all-red of one axis, milliseconds; then the other's.
const GREEN_MS: i64 = 22_000;
const YELLOW_MS: i64 = 3_000;
const AXIS_MS: i64 = GREEN_MS + YELLOW_MS + 2_000;
/// How far a station sees along each street, metres.
const SIGHT_M: f64 = 46.0;
/// Around the station; half a block, so that between two crossings some road is seen by nobody.
pub(crate) const ORIGIN: Wgs84 = Wgs84 { lat_deg: 44.655_54, lon_deg: 10.934_315, alt_m: 34.0 };
pub(crate) const SITE: &str = "modena";

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Car,
    Van,
    Truck,
    Bus,
    Bicycle,
    Person,
}

impl Class {
    /// Length, width, usual speed.
    pub(crate) const fn size(self) -> (f32, f32, f64) {
        match self {
            Self::Car => (4.3, 1.8, 12.5),
            Self::Van => (5.6, 2.0, 12.0),
            Self::Truck => (9.5, 2.5, 10.5),
            Self::Bus => (12.0, 2.55, 10.0),
            Self::Bicycle => (1.8, 0.6, 4.8),
            Self::Person => (0.5, 0.5, 1.3),
        }
    }
}

/// Somebody on the way.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: u16,
    pub(crate) class: Class,
    way: usize,
    along_m: f64,
    pub(crate) speed_mps: f64,
    pub(crate) age_ms: i64,
}

/// One direction of a street.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// North and south, or east and west.
    northward: bool,
    forward: bool,
    street: usize,
}

/// The town at a moment.
#[derive(Debug)]
pub(crate) struct Town {
    size: usize,
    ways: Vec<Way>,
    pub(crate) users: Vec<User>,
    now: Timestamp,
    random: u64,
}

impl Town {
    /// `size` streets each way with so many road users.
    pub(crate) fn new(size: usize, users: usize, now: Timestamp) -> Self {
        let way = |i: usize| Way { northward: i.is_multiple_of(2), forward: (i / 2).is_multiple_of(2), street: i / 4 };
        let ways: Vec<_> = (0..size * 4).map(way).collect();
        let mut town = Self { size, ways, users: Vec::new(), now, random: 0x2545_f491_4f6c_dd1d };
        for id in 0..users {
            let class = match town.chance(100) {
                0..64 => Class::Car,
                64..72 => Class::Van,
                72..76 => Class::Truck,
                76..79 => Class::Bus,
                79..89 => Class::Bicycle,
                _ => Class::Person,
            };
            let way = town.chance(town.ways.len());
            let along_m = town.chance(1_000_000) as f64 / 1e6 * town.length_m();
            let speed_mps = class.size().2;
            let age_ms = town.chance(60_000) as i64;
            town.users.push(User { id: id as u16, class, way, along_m, speed_mps, age_ms });
        }
        town
    }

    /// xorshift64*: the same town every time.
    fn chance(&mut self, below: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    }

    fn length_m(&self) -> f64 {
        self.size as f64 * BLOCK_M
    }

    /// Metres from the town's middle to the middle of a street.
    fn street_m(&self, street: usize) -> f64 {
        (street as f64 - (self.size as f64 - 1.0) / 2.0) * BLOCK_M
    }

    /// East and north of the town's middle, and heading.
    pub(crate) fn place(&self, user: &User) -> ([f64; 2], f64) {
        let way = self.ways[user.way];
        let along = (user.along_m - self.length_m() / 2.0) * if way.forward { 1.0 } else { -1.0 };
        let beside = match user.class {
            Class::Person => PAVEMENT_M,
            Class::Bicycle => CYCLE_M,
            _ => LANE_M,
        };
        // On the right of the way.
        let across = self.street_m(way.street) + beside * if way.forward == way.northward { 1.0 } else { -1.0 };
        match (way.northward, way.forward) {
            (true, forward) => ([across, along], if forward { 0.0 } else { 180.0 }),
            (false, forward) => ([along, across], if forward { 90.0 } else { 270.0 }),
        }
    }

    /// Whether those who drive along an axis may.
    fn green(northward: bool, at: Timestamp) -> bool {
        let phase_ms = at.unix_ms().rem_euclid(2 * AXIS_MS);
        let own_ms = if northward { phase_ms } else { phase_ms - AXIS_MS };
        (0..GREEN_MS).contains(&own_ms)
    }

    /// What a signal shows, and until when.
    pub(crate) fn signal(northward: bool, at: Timestamp) -> (messages::Shows, Timestamp) {
        let phase_ms = at.unix_ms().rem_euclid(2 * AXIS_MS);
        let own_ms = if northward { phase_ms } else { (phase_ms - AXIS_MS).rem_euclid(2 * AXIS_MS) };
        let (shows, end_ms) = match own_ms {
            0..GREEN_MS => (messages::Shows::Green, GREEN_MS),
            GREEN_MS.. if own_ms < GREEN_MS + YELLOW_MS => (messages::Shows::Yellow, GREEN_MS + YELLOW_MS),
            _ => (messages::Shows::Red, 2 * AXIS_MS),
        };
        (shows, at.plus_ms(end_ms - own_ms))
    }

    /// Moves everybody on until `to`.
    pub(crate) fn step(&mut self, to: Timestamp) {
        let dt_s = to.seconds_since(self.now).max(0.0);
        let length_m = self.length_m();
        // Foremost first, so that everybody sees where who is ahead has got to.
        self.users.sort_by(|a, b| (a.way, b.along_m).partial_cmp(&(b.way, a.along_m)).unwrap());
        let mut ahead: Option<(usize, f64)> = None;
        for user in &mut self.users {
            let way = self.ways[user.way];
            let (length, _, usual_mps) = user.class.size();
            let drives = !matches!(user.class, Class::Person | Class::Bicycle);
            let mut room_m = f64::INFINITY;
            if drives {
                if let Some((way, rear_m)) = ahead.filter(|(way, _)| *way == user.way) {
                    debug_assert_eq!(way, user.way);
                    room_m = rear_m - user.along_m - 2.0;
                }
                // The next stop line; crossings lie in the middle of each block's length.
                let within = (user.along_m - BLOCK_M / 2.0 + STOP_M).rem_euclid(BLOCK_M);
                let line_m = BLOCK_M - within;
                if !Self::green(way.northward, to) && line_m < BLOCK_M - 1.0 {
                    room_m = room_m.min(line_m - 0.5);
                }
            }
            // As fast as braking gently allows.
            let safe_mps = (2.0 * 2.2 * room_m.max(0.0)).sqrt().min(usual_mps);
            user.speed_mps = safe_mps.min(user.speed_mps + 1.8 * dt_s);
            user.along_m += user.speed_mps * dt_s;
            user.age_ms += (dt_s * 1e3) as i64;
            if user.along_m >= length_m {
                // Out at one end, in at the other as somebody else.
                (user.along_m, user.age_ms, user.id) = (user.along_m - length_m, 0, user.id.wrapping_add(10_000));
            }
            if drives {
                ahead = Some((user.way, user.along_m - f64::from(length)));
            }
        }
        self.now = to;
    }

    /// Crossings as (station, east, north).
    pub(crate) fn stations(&self) -> Vec<(u32, f64, f64)> {
        let each = |i: usize| (4_001 + i as u32, self.street_m(i % self.size), self.street_m(i / self.size));
        (0..self.size * self.size).map(each).collect()
    }

    /// What every station's CPM says now: those nearest to it.
    pub(crate) fn perceptions(&self) -> Vec<Record> {
        let stations = self.stations();
        let mut seen = vec![Vec::new(); stations.len()];
        for user in &self.users {
            let ([e, n], heading_deg) = self.place(user);
            let street =
                |m: f64| ((m + self.length_m() / 2.0) / BLOCK_M).floor().clamp(0.0, self.size as f64 - 1.0) as usize;
            seen[street(n) * self.size + street(e)].push((user, [e, n], heading_deg));
        }
        let record = |((station, e, n), users): (&(u32, f64, f64), &Vec<(&User, [f64; 2], f64)>)| {
            let at = Position::from(ORIGIN).moved_m(*e, *n);
            let payload = messages::cpm(*station, [at.lat_deg, at.lon_deg], [*e, *n], users, SIGHT_M, self.now);
            self.record(*station, Kind::V2x(MessageKind::Cpm), &station.to_string(), payload, at)
        };
        stations.iter().zip(&seen).map(record).collect()
    }

    /// What every station's SPATEM says now.
    pub(crate) fn signals(&self) -> Vec<Record> {
        let record = |(station, e, n): (u32, f64, f64)| {
            let at = Position::from(ORIGIN).moved_m(e, n);
            self.record(
                station,
                Kind::V2x(MessageKind::Spatem),
                &station.to_string(),
                messages::spatem(station, self.now),
                at,
            )
        };
        self.stations().into_iter().map(record).collect()
    }

    /// What changes seldom: lanes, parking, readings and counts as they are at `at`.
    pub(crate) fn slow(&self, at: Timestamp) -> Vec<Record> {
        let mut records = Vec::new();
        let hour = at.unix_ms().rem_euclid(86_400_000) as f64 / 3.6e6;
        // Two peaks a day, and a little unrest.
        let peak = |h: f64, width: f64| (-((hour - h) / width).powi(2)).exp();
        let unrest = ((at.unix_ms() / 60_000 * 7919) % 100) as f64 / 100.0;
        let busy = 0.25 + 0.75 * peak(7.5, 1.6).max(peak(16.8, 2.2)) + 0.08 * unrest;
        let names = ["Via Emilia", "Via Manfredo Fanti", "Via Attiraglio", "Strada Albareto"];
        for (i, (station, e, n)) in self.stations().into_iter().take(4).enumerate() {
            let here = Position::from(ORIGIN).moved_m(e, n);
            records.push(self.at(at).record(
                station,
                Kind::V2x(MessageKind::Mapem),
                &station.to_string(),
                messages::mapem(station, [here.lat_deg, here.lon_deg], at),
                here,
            ));
            let origin = Origin { site: SITE.into(), station, message: format!("{station}-flow"), received_at: at };
            let share = busy * (1.0 - 0.17 * i as f64);
            let flow = TrafficFlow {
                name: names[i].into(),
                geometry: Geometry::LineString(vec![here.moved_m(LANE_M, -40.0), here.moved_m(LANE_M, -12.0)]),
                from: at.plus_ms(-300_000),
                to: at,
                vehicles: (78.0 * share) as u32,
                mean_speed_mps: Some(13.0 - 7.0 * share),
                occupancy: Some(0.05 + 0.3 * share),
                mean_headway_s: Some(3.8 / share),
                lane: None,
                vehicle_type: None,
                is_congested: share > 0.97,
            };
            let crowd = CrowdFlow {
                name: format!("{} nord", names[i]),
                geometry: Geometry::LineString(vec![here.moved_m(-6.0, 12.0), here.moved_m(6.0, 12.0)]),
                from: at.plus_ms(-300_000),
                to: at,
                people: [(14.0 * share) as u32, (9.0 * share) as u32],
                mean_speed_mps: Some(1.3),
                is_congested: false,
            };
            let documents: Vec<Value> = [flow.entity(&origin), crowd.entity(&origin)].iter().map(named).collect();
            let payload = serde_json::to_vec(&documents).unwrap();
            records.push(self.at(at).record(station, Kind::Service, &format!("{station}-flow"), payload, here));
        }
        let mast = Position::from(ORIGIN).moved_m(self.street_m(0) + 9.0, self.street_m(0) + 14.0);
        let readings = [
            ("no2", 18.0 + 46.0 * busy),
            ("pm10", 14.0 + 16.0 * busy),
            ("pm25", 8.0 + 8.0 * busy),
            ("noise", 52.0 + 14.0 * busy),
            ("air-temperature", 13.0 + 6.0 * peak(14.0, 5.0)),
            ("relative-humidity", 78.0 - 24.0 * peak(14.0, 5.0)),
        ];
        for (quantity, value) in readings {
            let payload = json!({ "sensor": "mast-1", "quantity": quantity, "value": value }).to_string();
            records.push(self.at(at).record(
                4_001,
                Kind::Observation,
                &format!("mast-1/{quantity}"),
                payload.into_bytes(),
                mast,
            ));
        }
        let free = (22.0 * (1.15 - busy)).clamp(0.0, 24.0) as u16;
        let parking = Position::from(ORIGIN).moved_m(self.street_m(0) - 40.0, self.street_m(0) - 10.0);
        let payload = messages::poim([parking.lat_deg, parking.lon_deg], "Via Emilia Est", free, 24, at);
        records.push(self.at(at).record(4_001, Kind::V2x(MessageKind::Poim), "poim", payload, parking));
        records
    }

    /// A warning of the first station.
    pub(crate) fn warning(&self, number: u16, cause: u8, [east_m, north_m]: [f64; 2], is_over: bool) -> Record {
        let at = Position::from(ORIGIN).moved_m(east_m, north_m);
        let payload = messages::denm(4_001, number, cause, [at.lat_deg, at.lon_deg], self.now, is_over);
        self.record(4_001, Kind::V2x(MessageKind::Denm), &format!("4001-{number}"), payload, at)
    }

    /// The same town at another moment, for the time of a record.
    fn at(&self, now: Timestamp) -> Self {
        Self { size: self.size, ways: Vec::new(), users: Vec::new(), now, random: 1 }
    }

    fn record(&self, station: u32, kind: Kind, entity: &str, payload: Vec<u8>, at: Position) -> Record {
        let personal = matches!(kind, Kind::V2x(MessageKind::Cam | MessageKind::Cpm | MessageKind::Vam));
        Record {
            arrival: 0,
            tenant: Tenant::default(),
            source: Source { site: SITE.into(), station },
            kind,
            epoch: 1,
            sequence: 0,
            message_id: format!("{station}-{}-{}", kind.name(), self.now.unix_ms()),
            entity: entity.into(),
            measured_at: self.now,
            received_at: self.now.plus_ms(20),
            position: Some(Wgs84 { lat_deg: at.lat_deg, lon_deg: at.lon_deg, alt_m: 34.0 }),
            sensitivity: if personal { Sensitivity::Personal } else { Sensitivity::Open },
            topic: format!("masa/{SITE}/{station}/{}", kind.name()),
            payload: payload.into(),
        }
    }

    /// The site map.
    pub(crate) fn map(&self) -> Value {
        let half = self.length_m() / 2.0;
        let mut features = Vec::new();
        let mut rectangle = |kind: &str, [w, s, e, n]: [f64; 4]| {
            let corner = |x: f64, y: f64| {
                let p = Position::from(ORIGIN).moved_m(x, y);
                [p.lon_deg, p.lat_deg]
            };
            let ring = [corner(w, s), corner(e, s), corner(e, n), corner(w, n), corner(w, s)];
            let geometry = json!({ "type": "Polygon", "coordinates": [ring] });
            features.push(json!({ "type": "Feature", "properties": { "kind": kind }, "geometry": geometry }));
        };
        rectangle("green", [-half, -half, half, half]);
        for m in (0..self.size).map(|street| self.street_m(street)) {
            for (kind, near_m, far_m) in
                [("pavement", -8.0, 8.0), ("cycleway", 3.6, 5.2), ("cycleway", -5.2, -3.6), ("carriageway", -3.6, 3.6)]
            {
                rectangle(kind, [m + near_m, -half, m + far_m, half]);
                rectangle(kind, [-half, m + near_m, half, m + far_m]);
            }
        }
        for m in (0..self.size).map(|street| self.street_m(street)) {
            let dashes = (0..(self.length_m() / 9.0) as usize).map(|i| -half + 9.0 * i as f64);
            for (from, to) in dashes.map(|from| (from, from + 3.0)) {
                rectangle("crossing", [m - 0.08, from, m + 0.08, to]);
                rectangle("crossing", [from, m - 0.08, to, m + 0.08]);
            }
            let trees = (0..(self.length_m() / 14.0) as usize).map(|i| -half + 7.0 + 14.0 * i as f64);
            // None where streets cross.
            for at in trees.filter(|at| {
                (at + half).rem_euclid(BLOCK_M) < BLOCK_M / 2.0 - 18.0
                    || (at + half).rem_euclid(BLOCK_M) > BLOCK_M / 2.0 + 18.0
            }) {
                for side in [-10.6, 10.6] {
                    rectangle("tree", [m + side - 1.6, at - 1.6, m + side + 1.6, at + 1.6]);
                    rectangle("tree", [at - 1.6, m + side - 1.6, at + 1.6, m + side + 1.6]);
                }
            }
        }
        for (_, e, n) in self.stations() {
            rectangle("junction", [e - 8.0, n - 8.0, e + 8.0, n + 8.0]);
            for bar in 0..7 {
                let at = -4.2 + 1.4 * f64::from(bar);
                for side in [-9.8, 9.8] {
                    rectangle("crossing", [e + at - 0.35, n + side - 1.3, e + at + 0.35, n + side + 1.3]);
                    rectangle("crossing", [e + side - 1.3, n + at - 0.35, e + side + 1.3, n + at + 0.35]);
                }
            }
            // Four houses around every crossing, no two towns' alike.
            for (i, (x, y)) in [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)].into_iter().enumerate() {
                let unlike = ((e * 0.37 + n * 0.73).abs() as usize + i * 5) % 4;
                let (near, far) = (13.0 + unlike as f64 * 2.5, 46.0 - (3 - unlike) as f64 * 4.0);
                let [a, b, c, d] = [e + x * near, n + y * 13.0, e + x * 50.0, n + y * far];
                rectangle("building", [a.min(c), b.min(d), a.max(c), b.max(d)]);
            }
        }
        json!({ "type": "FeatureCollection", "features": features })
    }
}

/// The entity's document, with the name of its street.
fn named(entity: &Entity) -> Value {
    let mut document = entity.to_json(Form::KeyValues, &[]);
    document["name"] = entity.id.rsplit(':').next().unwrap_or_default().replace('-', " ").into();
    document
}
