//! A world that clients step, with what they put into it.
//!
//! In: requests, one at a time. Out: answers, and sensors' data a step. Knows neither sockets nor tasks.

use super::guests::{Guests, MAX_GUESTS, POPULATION, Steering};
use super::sensors::{MAX_SENSORS, Sensor, Surroundings};
use super::{Maps, convert, map, proto};
use crate::actor::{ActorId, Pose};
use crate::geometry::gap_between;
use crate::random::Seed;
use crate::roads::{LaneId, Roads, SignalId, SignalState};
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use crate::world::{Command, FixedProgrammes, SignalControl, World};
use nalgebra::Vector2;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tonic::Status;

/// Steps of one request at most.
const MAX_STEPS: u32 = 10_000;

/// A world and its guests.
pub(crate) struct Session {
    world: World,
    map: String,
    seed: u64,
    episode: u64,
    guests: Guests,
    frozen: Frozen,
    surroundings: Surroundings,
    sensors: BTreeMap<u32, Sensor>,
    /// Sensors and actors share their numbers, as clients expect; sensors count down.
    next_sensor: u32,
}

/// What clients set signals to.
#[derive(Clone, Debug, Default)]
struct Frozen(Arc<Mutex<BTreeMap<(u32, u32), SignalState>>>);

/// Programmes, and above them what clients set.
#[derive(Debug)]
struct Overridden {
    programmes: Box<dyn SignalControl>,
    frozen: Frozen,
}

impl SignalControl for Overridden {
    fn states(&mut self, before: &Snapshot) -> Vec<Vec<SignalState>> {
        let mut states = self.programmes.states(before);
        for ((controller, link), state) in self.frozen.lock().iter() {
            if let Some(shown) = states.get_mut(*controller as usize).and_then(|links| links.get_mut(*link as usize)) {
                *shown = *state;
            }
        }
        states
    }
}

impl Frozen {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(u32, u32), SignalState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn invalid(what: impl Into<String>) -> Status {
    Status::invalid_argument(what)
}

impl Session {
    /// A new world; `episode` numbers the worlds of a server.
    pub(crate) fn load(maps: &Maps, asked: &proto::LoadWorldRequest, episode: u64) -> Result<Self, Status> {
        let step_s = if asked.step == 0.0 { 0.05 } else { asked.step };
        if !(0.001..=1.0).contains(&step_s) {
            return Err(invalid(format!("a step of {step_s} s is not within 0.001 and 1")));
        }
        let (map, roads) = maps.load(&asked.map)?;
        let roads = Arc::new(roads);
        let mut world = World::new(roads.clone(), step_s, Weather::default());
        let guests = Guests::new(roads.clone(), Seed(asked.seed));
        let frozen = Frozen::default();
        let surroundings = Surroundings::new(roads.clone(), Seed(asked.seed));
        world.add(Box::new(guests.clone()));
        let sumo = maps.traffic(&map, &roads, asked.seed, step_s)?;
        let programmes: Box<dyn SignalControl> = match &sumo {
            Some(sumo) => sumo.handle().signals(),
            None => Box::new(FixedProgrammes(roads)),
        };
        if let Some(sumo) = sumo {
            world.add(Box::new(sumo));
        }
        world.set_signal_control(Box::new(Overridden { programmes, frozen: frozen.clone() }));
        Ok(Self {
            world,
            map,
            seed: asked.seed,
            episode,
            guests,
            frozen,
            surroundings,
            sensors: BTreeMap::new(),
            next_sensor: u32::MAX,
        })
    }

    fn roads(&self) -> &Arc<Roads> {
        self.world.roads()
    }

    pub(crate) fn describe(&self) -> proto::World {
        let origin = self.roads().geo.map(|geo| geo.origin);
        proto::World {
            map: self.map.clone(),
            seed: self.seed,
            step: self.world.step_s(),
            frame: self.world.now().step,
            episode: self.episode,
            latitude: origin.map(|at| at.lat_deg),
            longitude: origin.map(|at| at.lon_deg),
        }
    }

    pub(crate) fn snapshot(&self) -> proto::Snapshot {
        convert::snapshot(self.world.now(), self.roads())
    }

    /// Moves on. Of the last step the `wanted` sensors' data come along.
    pub(crate) fn step(
        &mut self,
        steps: u32,
        wanted: &BTreeSet<u32>,
    ) -> Result<(proto::Snapshot, Vec<proto::SensorData>), Status> {
        if steps > MAX_STEPS {
            return Err(invalid(format!("{steps} steps are more than {MAX_STEPS}")));
        }
        for _ in 0..steps.max(1) {
            self.world.step();
            let now = self.world.now();
            for sensor in self.sensors.values_mut() {
                sensor.observe(now, self.world.step_s());
            }
        }
        let now = self.world.now();
        let roads = self.world.roads();
        let data = self
            .sensors
            .iter_mut()
            .filter(|(id, _)| wanted.contains(id))
            .filter_map(|(id, sensor)| sensor.read(*id, now, roads))
            .collect();
        Ok((self.snapshot(), data))
    }

    pub(crate) fn spawn(&mut self, asked: &proto::SpawnRequest) -> Result<proto::Actor, Status> {
        let found = convert::ACTORS.iter().find(|(id, _)| *id == asked.blueprint);
        let (_, kind) = found.ok_or_else(|| invalid(format!("no actor is called {:?}", asked.blueprint)))?;
        let role = convert::role(&asked.role).ok_or_else(|| invalid(format!("no role is called {:?}", asked.role)))?;
        let pose = match &asked.place {
            Some(proto::spawn_request::Place::Transform(transform)) => pose_of(transform)?,
            Some(proto::spawn_request::Place::Lane(place)) => self.on_lane(place)?,
            None => return Err(invalid("no place to spawn at")),
        };
        if let Some(other) = self.in_the_way(pose, *kind) {
            return Err(Status::already_exists(format!("actor {other} stands there")));
        }
        let id = self.guests.spawn(*kind, role, pose, asked.appearance);
        let id = id.ok_or_else(|| Status::resource_exhausted(format!("{MAX_GUESTS} actors are enough")))?;
        self.world.refresh();
        self.actor(id)
    }

    fn actor(&self, id: ActorId) -> Result<proto::Actor, Status> {
        let actor =
            self.world.now().actor(id).ok_or_else(|| Status::not_found(format!("there is no actor {}", id.0)))?;
        Ok(convert::actor(actor, self.roads()))
    }

    fn on_lane(&self, place: &proto::LanePlace) -> Result<Pose, Status> {
        let lane = self.roads().lanes.iter().find(|lane| lane.name == place.name);
        let lane = lane.ok_or_else(|| invalid(format!("there is no lane {:?}", place.name)))?;
        let on = lane.centre.at(place.s).filter(|_| (0.0..=lane.centre.length_m()).contains(&place.s));
        let on = on.ok_or_else(|| invalid(format!("{} m is not on lane {:?}", place.s, place.name)))?;
        Ok(Pose { position: on.point, yaw_rad: on.yaw_rad, pitch_rad: on.slope.atan() })
    }

    /// An actor whose box one of this kind there would touch.
    fn in_the_way(&self, pose: Pose, kind: crate::ActorKind) -> Option<u32> {
        let size = super::guests::size_of(kind);
        let (sin, cos) = pose.yaw_rad.sin_cos();
        let (l, w) = (size.length_m / 2.0, size.width_m / 2.0);
        let corners = [(l, w), (-l, w), (-l, -w), (l, -w)].map(|(x, y)| {
            nalgebra::Point2::new(pose.position.x + x * cos - y * sin, pose.position.y + x * sin + y * cos)
        });
        let meets = |other: &&crate::Actor| {
            (other.pose.position.z - pose.position.z).abs() < 3.0 && gap_between(&other.footprint(), &corners) == 0.0
        };
        self.world.now().actors.iter().find(meets).map(|other| other.id.0)
    }

    pub(crate) fn destroy(&mut self, id: u32) -> bool {
        let destroyed = self.world.command(ActorId(id), Command::Remove);
        if destroyed {
            self.sensors.retain(|_, sensor| sensor.parent() != Some(ActorId(id)));
            self.world.refresh();
        }
        destroyed
    }

    pub(crate) fn control(&mut self, asked: &proto::ControlRequest) -> Result<(), Status> {
        use proto::control_request::Control;
        let id = ActorId(asked.actor);
        self.actor(id)?;
        let control = asked.control.as_ref().ok_or_else(|| invalid("no control"))?;
        let numbers = |values: &[f64]| {
            let sane = values.iter().all(|value| value.is_finite() && value.abs() < 1e7);
            if sane { Ok(()) } else { Err(invalid("a number of the control is none")) }
        };
        let guest = self.guests.has(id);
        let done = match control {
            Control::Vehicle(v) => {
                numbers(&[v.throttle, v.brake, v.steer])?;
                let (throttle, brake, steer) =
                    (v.throttle.clamp(0.0, 1.0), v.brake.clamp(0.0, 1.0), v.steer.clamp(-1.0, 1.0));
                match guest {
                    true => self.guests.steer(id, Steering::Hand { throttle, brake, steer, reverse: v.reverse }),
                    false => self.world.command(id, Command::Control { throttle, brake, steer }),
                }
            }
            Control::Walker(walker) => {
                let direction = walker.direction.unwrap_or_default();
                numbers(&[direction.x, direction.y, walker.speed])?;
                let direction = Vector2::new(direction.x, direction.y).try_normalize(1e-9).unwrap_or_default();
                self.guests.steer(id, Steering::Walk(direction * walker.speed.max(0.0)))
            }
            Control::Autopilot(true) if guest => match self.guests.driver(id) {
                Some(driver) => self.guests.steer(id, Steering::Auto(driver)),
                None => {
                    return Err(Status::failed_precondition(format!("actor {} is on no lane it may drive on", id.0)));
                }
            },
            Control::Autopilot(false) if guest => self.guests.steer(id, Steering::Idle),
            Control::Autopilot(on) => {
                let stop = Command::Control { throttle: 0.0, brake: 0.0, steer: 0.0 };
                self.world.command(id, if *on { Command::Release } else { stop })
            }
            Control::SpeedLimit(limit) => {
                numbers(&[*limit])?;
                self.world.command(id, Command::LimitSpeed((*limit >= 0.0).then_some(*limit)))
            }
            Control::ChangeLane(places) => self.world.command(id, Command::ChangeLane(*places)),
            Control::Transform(transform) => {
                let placed = self.guests.place(id, pose_of(transform)?);
                self.world.refresh();
                placed
            }
        };
        if done { Ok(()) } else { Err(Status::failed_precondition(format!("actor {} cannot do that", id.0))) }
    }

    pub(crate) fn set_weather(&mut self, weather: &proto::Weather) -> Result<(), Status> {
        let weather = convert::weather(weather).map_err(|field| invalid(format!("{field} is not possible")))?;
        self.world.set_weather(weather);
        Ok(())
    }

    pub(crate) fn lights(&self) -> proto::TrafficLights {
        let roads = self.roads();
        let now = self.world.now();
        let frozen = self.frozen.lock();
        let mut lights: BTreeMap<(u32, u32), proto::TrafficLight> = BTreeMap::new();
        for link in &roads.links {
            let Some((SignalId(controller), place)) = link.signal else { continue };
            let key = (controller, u32::from(place));
            // Before the first step signals show nothing; then the programme tells.
            let shown = now.signal(SignalId(controller), place).or_else(|| {
                roads.signals.get(controller as usize)?.states_at(now.time_s).get(usize::from(place)).copied()
            });
            let light = lights.entry(key).or_insert_with(|| {
                let line = &roads.lane(link.from).centre;
                let stop = line.at(line.length_m()).map(|on| convert::transform(on.point, on.yaw_rad, 0.0));
                let name = roads.signals.get(controller as usize).map(|one| one.name.clone()).unwrap_or_default();
                proto::TrafficLight {
                    controller,
                    link: key.1,
                    name,
                    state: shown.map_or(proto::LightState::Unspecified, convert::light_out).into(),
                    stop,
                    lanes: Vec::new(),
                    frozen: frozen.contains_key(&key),
                }
            });
            light.lanes.push(link.from.0);
        }
        proto::TrafficLights { lights: lights.into_values().collect() }
    }

    pub(crate) fn set_light(&mut self, asked: &proto::SetTrafficLightStateRequest) -> Result<(), Status> {
        let state = proto::LightState::try_from(asked.state).map_err(|_| invalid("no such state"))?;
        let signal = self.roads().signals.get(asked.controller as usize);
        let links = signal.and_then(|signal| signal.phases.first()).map_or(0, |phase| phase.states.len());
        if asked.link as usize >= links {
            return Err(Status::not_found(format!("there is no traffic light {}/{}", asked.controller, asked.link)));
        }
        let mut frozen = self.frozen.lock();
        match convert::light_in(state) {
            Some(state) => frozen.insert((asked.controller, asked.link), state),
            None => frozen.remove(&(asked.controller, asked.link)),
        };
        Ok(())
    }

    pub(crate) fn attach(&mut self, asked: &proto::AttachSensorRequest) -> Result<u32, Status> {
        if self.sensors.len() >= MAX_SENSORS {
            return Err(Status::resource_exhausted(format!("{MAX_SENSORS} sensors are enough")));
        }
        let parent = (asked.parent != 0).then_some(ActorId(asked.parent));
        if let Some(parent) = parent {
            self.actor(parent)?;
        }
        let mount = pose_of(&asked.transform.unwrap_or_default())?;
        let mut given: Vec<_> = asked.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        given.sort();
        let id = self.next_sensor;
        let sensor = Sensor::new(id, &asked.blueprint, &given, parent, mount, &mut self.surroundings)
            .map_err(|error| invalid(error.to_string()))?;
        self.next_sensor -= 1;
        self.sensors.insert(id, sensor);
        Ok(id)
    }

    pub(crate) fn detach(&mut self, sensor: u32) -> bool {
        self.sensors.remove(&sensor).is_some()
    }

    pub(crate) fn has_sensor(&self, sensor: u32) -> bool {
        self.sensors.contains_key(&sensor)
    }

    pub(crate) fn map(&self) -> proto::Map {
        map::map(self.roads(), &self.map)
    }

    pub(crate) fn waypoint(&self, asked: &proto::GetWaypointRequest) -> Result<proto::Waypoint, Status> {
        let at = asked.location.unwrap_or_default();
        map::nearest_waypoint(self.roads(), nalgebra::Point2::new(at.x, at.y), asked.driving)
            .ok_or_else(|| Status::not_found("the map has no such lane"))
    }

    pub(crate) fn waypoints(&self, asked: &proto::GetNextWaypointsRequest) -> proto::Waypoints {
        let waypoints = map::waypoints_from(self.roads(), LaneId(asked.lane), asked.s, asked.distance);
        proto::Waypoints { waypoints }
    }
}

fn pose_of(transform: &proto::Transform) -> Result<Pose, Status> {
    convert::pose(transform).ok_or_else(|| invalid("a number of the transform is none or far off"))
}

/// Every blueprint: actors and sensors.
pub(crate) fn blueprints() -> proto::Blueprints {
    let actors = convert::ACTORS.iter().map(|(id, kind)| proto::Blueprint {
        id: (*id).to_owned(),
        size: Some(convert::size(super::guests::size_of(*kind))),
        attributes: Vec::new(),
    });
    let sensors = super::sensors::BLUEPRINTS.iter().map(|(id, attributes)| proto::Blueprint {
        id: (*id).to_owned(),
        size: None,
        attributes: attributes
            .iter()
            .map(|(name, value, unit, ..)| proto::Attribute {
                name: (*name).to_owned(),
                value: value.to_string(),
                unit: (*unit).to_owned(),
            })
            .collect(),
    });
    proto::Blueprints { blueprints: actors.chain(sensors).collect() }
}

/// Guests never have the numbers of sensors, which count down from the greatest number.
const _: () = assert!(POPULATION < u8::MAX);
