//! Making a vehicle of what is asked for: its driver, its way, its stops, and which rules it breaks.
//!
//! In: a [`VehicleSpec`]. Out: a [`Pending`] that waits to depart. What is drawn comes from streams of the vehicle, so that
//! another vehicle, or another rate, changes nobody else's luck.

use super::driver::Driver;
use super::insert::Pending;
use super::kinds::VehicleType;
use super::net::NONE;
use super::parking::Manoeuvre;
use super::spawn::{SpawnError, Standing, VehicleSpec};
use super::step::Traffic;
use super::vehicle::{Berth, Body, Info, Mind, NEVER, Route, Stop};
use crate::actor::{ActorId, Lights};
use crate::roads::EdgeId;
use rand::RngExt;
use rand_distr::{Distribution, Normal};
use rand_pcg::Pcg64Mcg;
use std::sync::Arc;

impl Traffic {
    /// Lets a vehicle come: it departs as soon as its time has come and there is room.
    ///
    /// # Errors
    /// [`SpawnError`] if its route or a stop makes no sense.
    pub fn spawn(&mut self, spec: VehicleSpec) -> Result<ActorId, SpawnError> {
        let serial = self.next_serial;
        let name = spec.name.clone().unwrap_or_else(|| serial.to_string());
        let route = self.route_of(&name, &spec)?;
        let stops = self.stops_of(&name, &spec, &route)?;
        let type_id = self.type_of(&spec.vehicle_type);
        let kind = &spec.vehicle_type;
        let mut random = self.seed.stream("driver", u64::from(serial));
        let driver = self.driver_of(kind, spec.speed_factor, &mut random);
        let behaviour = self.settings.behaviour;
        let ignores_red = random.random::<f64>() < behaviour.red_light;
        let connected = random.random::<f64>() < self.settings.connected;
        let appearance = random.random();
        let wrong_way = self.draw_wrong_way(serial, kind.users, &route);
        let last = *route.edges.last().expect("routes are not empty");
        let length = self.net.lane(self.net.edges[last as usize][0]).length;
        let arrival = spec.arrival_m.map_or(length, |at| if at < 0.0 { length + at } else { at }).clamp(0.0, length);
        let body = Body {
            alive: true,
            serial,
            driver,
            users: kind.users,
            lane: NONE,
            pos: 0.0,
            speed: 0.0,
            accel: 0.0,
            further: Vec::new(),
            rank: 0,
            in_front: 0.0,
            route,
            at: 0,
            best: Arc::default(),
            stops: stops.into(),
            stopped: false,
            waiting_s: 0.0,
            entered: NEVER,
            entered_first: NEVER,
            entered_conflict: NEVER,
            must_wait: false,
            will_pass: false,
            arrival_pos: arrival,
            beacon: spec.beacon,
            strategic_blocked: false,
            by_hand: false,
            ignores_red,
            berth: Berth::None,
            reserve: 0.0,
            away: false,
        };
        let mind = Mind {
            random,
            impatience: kind.impatience,
            cooperative: kind.cooperative,
            strategic: kind.strategic,
            speed_gain: kind.speed_gain,
            keep_right: kind.keep_right,
            assertive: kind.assertive,
            ..Mind::default()
        };
        let info = Info {
            name,
            type_name: kind.name.clone(),
            type_id,
            kind: kind.kind,
            role: kind.role,
            size: kind.size,
            connected: spec.connected.unwrap_or(connected),
            appearance,
            depart_wish: spec.depart_s,
            departed: 0.0,
            depart_lane: NONE,
            depart_pos: 0.0,
            depart_speed: 0.0,
            odometer: 0.0,
            waiting_s: 0.0,
            waiting_count: 0,
            stop_s: 0.0,
            time_loss: 0.0,
            teleports: 0,
            aside: 0.0,
            aside_left_s: 0.0,
            lights: Lights { beacon: spec.beacon, ..Lights::default() },
            yaw: 0.0,
            yaw_known: false,
            yaw_rate: 0.0,
            off_lane: None,
            manoeuvre: Manoeuvre::default(),
            by_hand: None,
            pedals: [0.0; 3],
            wrong_way,
        };
        self.next_serial += 1;
        self.pending.push_back(Pending {
            body,
            mind,
            info,
            lane: spec.depart_lane,
            position: spec.depart_position,
            speed: spec.depart_speed,
        });
        Ok(ActorId::of(Self::POPULATION, serial))
    }

    fn driver_of(&self, kind: &VehicleType, factor: Option<f64>, random: &mut Pcg64Mcg) -> Driver {
        let spread = kind.speed_factor;
        let mut drawn = spread.mean;
        if spread.deviation > 0.0
            && let Ok(normal) = Normal::new(spread.mean, spread.deviation)
        {
            drawn = (0..100)
                .map(|_| normal.sample(random))
                .find(|factor| (spread.min..=spread.max).contains(factor))
                .unwrap_or(spread.mean);
        }
        let behaviour = self.settings.behaviour;
        let speeds = random.random::<f64>() < behaviour.speeding;
        let tailgates = random.random::<f64>() < behaviour.tailgating;
        let close = if tailgates { 1.0 / 3.0 } else { 1.0 };
        Driver {
            following: kind.following,
            length_m: kind.size.length_m,
            min_gap_m: kind.min_gap_m * close,
            accel: kind.accel_mps2,
            decel: kind.decel_mps2,
            emergency_decel: kind.emergency_mps2.max(kind.decel_mps2),
            max_speed: kind.max_speed_mps,
            speed_factor: factor.unwrap_or(drawn) * if speeds { 1.3 } else { 1.0 },
            tau_s: kind.following.tau_s() * close,
        }
    }

    fn type_of(&mut self, kind: &VehicleType) -> u32 {
        match self.types.iter().position(|known| known == kind) {
            Some(place) => place as u32,
            None => {
                self.types.push(kind.clone());
                self.types.len() as u32 - 1
            }
        }
    }

    fn route_of(&mut self, name: &str, spec: &VehicleSpec) -> Result<Arc<Route>, SpawnError> {
        let Some(first) = spec.route.first() else { return Err(SpawnError::EmptyRoute(name.to_owned())) };
        let users = spec.vehicle_type.users;
        let mut edges = vec![first.0];
        for pair in spec.route.windows(2) {
            let (from, to) = (pair[0].0, pair[1].0);
            if super::route::successors(&self.net, &self.roads, from, users).any(|next| next == to) {
                edges.push(to);
                continue;
            }
            let way = super::route::find(&self.net, &self.roads, from, to, users).ok_or_else(|| SpawnError::NoWay {
                name: name.to_owned(),
                from: self.roads.edge(EdgeId(from)).name.clone(),
                to: self.roads.edge(EdgeId(to)).name.clone(),
            })?;
            edges.extend(&way[1..]);
        }
        if let Some(known) = self.routes.get(&edges) {
            return Ok(known.clone());
        }
        let route = Arc::new(Route { id: self.routes.len() as u32, edges: edges.clone() });
        self.routes.insert(edges, route.clone());
        Ok(route)
    }

    fn stops_of(&self, name: &str, spec: &VehicleSpec, route: &Route) -> Result<Vec<Stop>, SpawnError> {
        let length_m = spec.vehicle_type.size.length_m;
        let mut at = 0;
        let mut pos = f64::NEG_INFINITY;
        let mut stops = Vec::with_capacity(spec.stops.len());
        for stop in &spec.stops {
            let edge = self.net.lane(stop.lane.0).edge;
            let same = route.edges.get(at).is_some_and(|here| *here == edge) && stop.end_m >= pos;
            let from = if same || pos == f64::NEG_INFINITY { at } else { at + 1 };
            let found = route.edges[from.min(route.edges.len())..].iter().position(|next| *next == edge);
            at = from
                + found.ok_or_else(|| SpawnError::StopOffRoute {
                    name: name.to_owned(),
                    lane: self.roads.lane(stop.lane).name.clone(),
                })?;
            pos = stop.end_m;
            let has_bays = self.bays().iter().any(|bay| {
                bay.lane == stop.lane && (stop.start_m..=stop.end_m).contains(&bay.s_m) && length_m <= bay.fits_m
            });
            let standing = if has_bays { stop.standing } else { Standing::Lane };
            // Who finds no bay free waits at the first.
            let (start, end) = match standing {
                Standing::Lane => (stop.start_m, stop.end_m),
                Standing::Bay | Standing::BayIfFree => {
                    let first = stop.start_m.max(length_m + 1.0);
                    (first - 1.0, first)
                }
            };
            stops.push(Stop {
                at: at as u32,
                start,
                duration: stop.duration_s,
                until: stop.until_s.unwrap_or(f64::NEG_INFINITY),
                standing,
                range: (stop.start_m, stop.end_m),
                ..Stop::at(stop.lane.0, end)
            });
        }
        Ok(stops)
    }
}
