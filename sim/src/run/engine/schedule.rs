//! What the schedule of a scenario brings into the loop: weather, faults, sensors, announcements, forgeries.

use super::super::air::Party;
use super::super::camera::Turned;
use super::super::forger::{Forgery, STATION_ID};
use super::super::rig::Broken;
use super::super::{RunError, site, status};
use super::{ANTENNA_M, Due, Engine, START};
use crate::faults::Fault;
use crate::radio::StationKey;
use masa_edge_node::event::{DenAction, DenRequest, EventBody, EventReport, Observation, SourceId, Traffic};
use masa_v2x_proto::geo::Enu;
use nalgebra::Point3;

impl Engine<'_> {
    /// Light and weather of the next step.
    pub(super) fn weather(&mut self) {
        let next_s = self.world.now().time_s + self.scenario.step_s;
        let latest = self.scenario.weather_changes.iter().filter(|change| change.at_s <= next_s);
        if let Some(change) = latest.max_by(|a, b| a.at_s.total_cmp(&b.at_s)) {
            self.world.set_weather(change.weather);
        }
    }

    /// Breaks and repairs what the schedule says.
    pub(super) fn apply_faults(&mut self, t_ns: i64) -> Result<(), RunError> {
        let time_s = self.world.now().time_s;
        let scenario = self.scenario;
        for rig in &mut self.rigs {
            rig.broken = Broken::default();
        }
        self.air.extra_loss = 0.0;
        for (place, fault) in scenario.faults.iter().enumerate() {
            let holds = fault.holds(time_s);
            let changed = holds != self.faults_active[place];
            self.faults_active[place] = holds;
            if changed {
                let words = if holds { fault.words() } else { format!("{} no more", fault.words()) };
                self.trace.faults.push((time_s, words));
            }
            let camera = |station: &str, camera: &str| {
                let place = scenario.stations.iter().position(|known| known.id == station)?;
                let camera = scenario.stations[place].cameras.iter().position(|known| known.id == camera)?;
                Some((place, camera))
            };
            let mut broken = |at: Option<(usize, usize)>, apply: &dyn Fn(&mut Broken)| {
                for rig in self.rigs.iter_mut().filter(|rig| holds && Some((rig.station, rig.camera)) == at) {
                    apply(&mut rig.broken);
                }
            };
            match &fault.what {
                Fault::CameraFrozen { station, camera: id } => broken(camera(station, id), &|b| b.frozen = true),
                Fault::CameraDark { station, camera: id } => broken(camera(station, id), &|b| b.dark = true),
                Fault::CameraSilent { station, camera: id } => broken(camera(station, id), &|b| b.silent = true),
                Fault::CameraMoved { station, camera: id, by_deg, up_deg } => {
                    let turned = Turned { right_deg: *by_deg, up_deg: *up_deg };
                    broken(camera(station, id), &|b| b.turned = turned)
                }
                Fault::PacketLoss { share } if holds => self.air.extra_loss = self.air.extra_loss.max(*share),
                Fault::ClockDrift { station, jump_ms, drift_ms_per_s } if changed => {
                    if let Some(station) = self.trace.station(station) {
                        let clock = &mut self.stations[station].clock;
                        (clock.jump_ns, clock.drift) = match holds {
                            true => ((jump_ms * 1e6) as i64, Some((drift_ms_per_s * 1e6, t_ns))),
                            false => (0, None),
                        };
                    }
                }
                Fault::LinkDown { station } if changed => {
                    if let Some(station) = self.trace.station(station) {
                        self.stations[station].link_up = !holds;
                        let status = status::link(!holds);
                        self.step_node(station, t_ns, SourceId::NODE, EventBody::Status(status));
                    }
                }
                Fault::NodeKilled { station } if changed => {
                    if let Some(station) = self.trace.station(station) {
                        let now = self.clock(station, t_ns);
                        let victim = &mut self.stations[station];
                        if holds {
                            victim.kill();
                        } else {
                            let name = victim.name.clone();
                            victim.start(now).map_err(|source| RunError::Node { station: name, source })?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Readings of environmental sensors.
    pub(super) fn read_sensors(&mut self, t_ns: i64) {
        if self.masts.is_empty() {
            return;
        }
        self.environment.step(self.world.now());
        let mut masts = std::mem::take(&mut self.masts);
        for (station, quantity, mast) in &mut masts {
            let Some(reading) = mast.measure(&self.environment, self.world.now()) else { continue };
            let captured_at = self.clock(*station, t_ns);
            for (_, value) in reading.values {
                let (sensor, quantity) = (mast.name().to_owned(), *quantity);
                let body = EventBody::Observation(Observation { sensor, quantity, value, captured_at });
                self.push(t_ns, *station, Due::Event(SourceId::NODE, Box::new(body)));
            }
        }
        self.masts = masts;
    }

    /// Scans of radars and lidars.
    pub(super) fn range(&mut self, t_ns: i64) {
        let mut rigs = std::mem::take(&mut self.ranging);
        for rig in &mut rigs {
            let captured_at = self.clock(rig.station, t_ns);
            let (snapshot, pool) = (self.world.now(), &self.pool);
            if let Some(body) = pool.install(|| rig.scan(snapshot, captured_at)) {
                self.push(t_ns + rig.latency_ns, rig.station, Due::Event(rig.source, Box::new(body)));
            }
        }
        self.ranging = rigs;
    }

    /// What the road operator lets stations announce, once its time has come.
    pub(super) fn announce(&mut self, t_ns: i64) {
        let (time_s, step_s) = (self.world.now().time_s, self.scenario.step_s);
        for (station, settings) in self.scenario.stations.iter().enumerate() {
            for (number, announcement) in settings.announcements.iter().enumerate() {
                if !(time_s - step_s < announcement.at_s && announcement.at_s <= time_s) {
                    continue;
                }
                let [e_m, n_m] = announcement.position_m;
                let report = EventReport {
                    cause_code: announcement.cause_code,
                    sub_cause_code: 0,
                    information_quality: 5,
                    position: self.frame.to_wgs84(Enu::ground(e_m, n_m)),
                    covariance: None,
                    heading_deg: None,
                    speed_mps: None,
                    awareness_distance_m: announcement.awareness_m,
                    traffic: Traffic::All,
                    validity_s: announcement.validity_s,
                    repetition_interval_ms: 1_000,
                    traces: Vec::new(),
                };
                let body = EventBody::DenRequest(DenRequest {
                    application: "road operator".into(),
                    event: number as u32 + 1,
                    action: DenAction::Report(report),
                });
                self.push(t_ns, station, Due::Event(SourceId::NODE, Box::new(body)));
            }
        }
    }

    /// Messages of somebody who is not honest.
    pub(super) fn forge(&mut self, t_ns: i64) {
        let time_s = self.world.now().time_s;
        for fault in &self.scenario.faults {
            if !fault.holds(time_s) {
                continue;
            }
            let Fault::Forgery { position_m, event_m, kind, rate_hz } = &fault.what else { continue };
            let every = (1.0 / (rate_hz * self.scenario.step_s)).round().max(1.0) as u64;
            if !self.world.now().step.is_multiple_of(every) {
                continue;
            }
            let now = START.plus_ns(t_ns);
            let roads = self.world.roads().clone();
            let forgery = Forgery {
                position_m: *position_m,
                event_m: *event_m,
                kind: *kind,
                frame: &self.frame,
                authorities: self.authorities.as_ref(),
                configuration: &|| site::plain_roadside(STATION_ID, *position_m, &roads, &self.frame),
            };
            let frames = self.forger.frames(&forgery, now);
            let antenna = Point3::new(position_m[0], position_m[1], ANTENNA_M);
            let from = Party { station_id: STATION_ID, key: StationKey::Fixed(STATION_ID), antenna };
            for frame in frames {
                self.transmit(from, &frame, t_ns);
            }
        }
    }
}
