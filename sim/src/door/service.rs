//! The interface's calls: each in its turn on the session, off the runtime's own threads; and the streams of sensors.

use super::proto::{self, simulator_server::Simulator};
use super::session::{Session, blueprints};
use super::{Maps, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Frames that wait for a slow reader; then a step waits for it.
const QUEUE: usize = 8;
/// How long a step waits for a reader, before its stream is ended.
const PATIENCE: Duration = Duration::from_secs(10);
/// Readers of one sensor at most.
const MAX_READERS: usize = 16;

type Answer<T> = Result<Response<T>, Status>;
type Reader = mpsc::Sender<Result<proto::SensorData, Status>>;

/// The door.
#[derive(Clone)]
pub(crate) struct Door {
    maps: Arc<Maps>,
    session: Arc<Mutex<Session>>,
    readers: Arc<Mutex<BTreeMap<u32, Vec<Reader>>>>,
    /// One step at a time, so that frames arrive in order.
    stepping: Arc<tokio::sync::Mutex<()>>,
}

impl Door {
    /// With the first world loaded.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Status> {
        let maps = Maps::new(settings);
        let session = Session::load(&maps, &proto::LoadWorldRequest::default(), 1)?;
        Ok(Self {
            maps: Arc::new(maps),
            session: Arc::new(Mutex::new(session)),
            readers: Arc::default(),
            stepping: Arc::default(),
        })
    }

    async fn with<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Session) -> Result<T, Status> + Send + 'static,
    ) -> Answer<T> {
        let session = self.session.clone();
        let done = tokio::task::spawn_blocking(move || {
            // A call that panicked leaves a world that can still be looked at and replaced.
            call(&mut session.lock().unwrap_or_else(PoisonError::into_inner))
        });
        match done.await {
            Ok(result) => result.map(Response::new),
            Err(error) => {
                tracing::error!(%error, "a call to the simulator failed");
                Err(Status::internal("the call failed"))
            }
        }
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Vec<Reader>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives each reader its data, in order; one that does not read is left out from then on.
    async fn deliver(&self, data: Vec<proto::SensorData>) {
        for one in data {
            let id = one.sensor;
            let readers = self.readers().get(&id).cloned().unwrap_or_default();
            let mut gone = Vec::new();
            for reader in readers {
                if reader.send_timeout(Ok(one.clone()), PATIENCE).await.is_err() {
                    if !reader.is_closed() {
                        tracing::warn!(sensor = id, frame = one.frame, "a reader of the sensor does not read");
                    }
                    gone.push(reader);
                }
            }
            if let Some(readers) = self.readers().get_mut(&id) {
                readers.retain(|reader| !gone.iter().any(|gone| gone.same_channel(reader)));
            }
        }
    }
}

#[tonic::async_trait]
impl Simulator for Door {
    type ListenStream = ReceiverStream<Result<proto::SensorData, Status>>;

    async fn describe(&self, _: Request<proto::DescribeRequest>) -> Answer<proto::Description> {
        Ok(Response::new(proto::Description { version: env!("CARGO_PKG_VERSION").to_owned(), maps: self.maps.list() }))
    }

    async fn load_world(&self, request: Request<proto::LoadWorldRequest>) -> Answer<proto::World> {
        let (maps, asked) = (self.maps.clone(), request.into_inner());
        let _turn = self.stepping.lock().await;
        let world = self
            .with(move |session| {
                *session = Session::load(&maps, &asked, session.describe().episode + 1)?;
                Ok(session.describe())
            })
            .await?;
        // Streams of the world before end here.
        self.readers().clear();
        Ok(world)
    }

    async fn get_world(&self, _: Request<proto::GetWorldRequest>) -> Answer<proto::World> {
        self.with(|session| Ok(session.describe())).await
    }

    async fn step(&self, request: Request<proto::StepRequest>) -> Answer<proto::Snapshot> {
        let steps = request.into_inner().steps;
        let _turn = self.stepping.lock().await;
        let wanted: BTreeSet<u32> = {
            let mut readers = self.readers();
            readers.values_mut().for_each(|readers| readers.retain(|reader| !reader.is_closed()));
            readers.retain(|_, readers| !readers.is_empty());
            readers.keys().copied().collect()
        };
        let (snapshot, data) = self.with(move |session| session.step(steps, &wanted)).await?.into_inner();
        self.deliver(data).await;
        Ok(Response::new(snapshot))
    }

    async fn get_snapshot(&self, _: Request<proto::GetSnapshotRequest>) -> Answer<proto::Snapshot> {
        self.with(|session| Ok(session.snapshot())).await
    }

    async fn list_blueprints(&self, _: Request<proto::ListBlueprintsRequest>) -> Answer<proto::Blueprints> {
        Ok(Response::new(blueprints()))
    }

    async fn spawn(&self, request: Request<proto::SpawnRequest>) -> Answer<proto::SpawnResponse> {
        let asked = request.into_inner();
        self.with(move |session| Ok(proto::SpawnResponse { actor: Some(session.spawn(&asked)?) })).await
    }

    async fn destroy(&self, request: Request<proto::DestroyRequest>) -> Answer<proto::DestroyResponse> {
        let actor = request.into_inner().actor;
        self.with(move |session| Ok(proto::DestroyResponse { destroyed: session.destroy(actor) })).await
    }

    async fn apply_control(&self, request: Request<proto::ControlRequest>) -> Answer<proto::ControlResponse> {
        let asked = request.into_inner();
        self.with(move |session| session.control(&asked).map(|()| proto::ControlResponse {})).await
    }

    async fn set_weather(&self, request: Request<proto::Weather>) -> Answer<proto::SetWeatherResponse> {
        let weather = request.into_inner();
        self.with(move |session| session.set_weather(&weather).map(|()| proto::SetWeatherResponse {})).await
    }

    async fn get_traffic_lights(&self, _: Request<proto::GetTrafficLightsRequest>) -> Answer<proto::TrafficLights> {
        self.with(|session| Ok(session.lights())).await
    }

    async fn set_traffic_light_state(
        &self,
        request: Request<proto::SetTrafficLightStateRequest>,
    ) -> Answer<proto::SetTrafficLightStateResponse> {
        let asked = request.into_inner();
        self.with(move |session| session.set_light(&asked).map(|()| proto::SetTrafficLightStateResponse {})).await
    }

    async fn attach_sensor(&self, request: Request<proto::AttachSensorRequest>) -> Answer<proto::AttachSensorResponse> {
        let asked = request.into_inner();
        self.with(move |session| session.attach(&asked).map(|sensor| proto::AttachSensorResponse { sensor })).await
    }

    async fn detach_sensor(&self, request: Request<proto::DetachSensorRequest>) -> Answer<proto::DetachSensorResponse> {
        let sensor = request.into_inner().sensor;
        let answer =
            self.with(move |session| Ok(proto::DetachSensorResponse { detached: session.detach(sensor) })).await?;
        self.readers().remove(&sensor);
        Ok(answer)
    }

    async fn listen(&self, request: Request<proto::ListenRequest>) -> Answer<Self::ListenStream> {
        let sensor = request.into_inner().sensor;
        let known = self.with(move |session| Ok(session.has_sensor(sensor))).await?.into_inner();
        if !known {
            return Err(Status::not_found(format!("there is no sensor {sensor}")));
        }
        let (sender, receiver) = mpsc::channel(QUEUE);
        let mut readers = self.readers();
        let readers = readers.entry(sensor).or_default();
        readers.retain(|reader| !reader.is_closed());
        if readers.len() >= MAX_READERS {
            return Err(Status::resource_exhausted(format!("{MAX_READERS} readers of a sensor are enough")));
        }
        readers.push(sender);
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_map(&self, _: Request<proto::GetMapRequest>) -> Answer<proto::Map> {
        self.with(|session| Ok(session.map())).await
    }

    async fn get_waypoint(&self, request: Request<proto::GetWaypointRequest>) -> Answer<proto::Waypoint> {
        let asked = request.into_inner();
        self.with(move |session| session.waypoint(&asked)).await
    }

    async fn get_next_waypoints(&self, request: Request<proto::GetNextWaypointsRequest>) -> Answer<proto::Waypoints> {
        let asked = request.into_inner();
        self.with(move |session| Ok(session.waypoints(&asked))).await
    }
}
