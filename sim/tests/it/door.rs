//! The door through its own protocol, and through Python where grpcio is installed.
#![allow(clippy::unwrap_used, reason = "a test")]

use masa_sim::door::proto::simulator_client::SimulatorClient;
use masa_sim::door::proto::{self, control_request::Control, sensor_data::Data, spawn_request::Place};
use masa_sim::door::{DoorError, Settings, open};
use std::net::SocketAddr;
use std::path::Path;
use tonic::transport::Channel;
use tonic::{Code, Request};

/// A door that stays open while this lives.
struct Server {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start(settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let opened = runtime.block_on(open(&settings)).unwrap();
        let address = opened.address();
        runtime.spawn(opened.serve(std::future::pending()));
        Self { address, _runtime: runtime }
    }
}

fn local() -> Settings {
    Settings { listen: ([127, 0, 0, 1], 0).into(), ..Settings::default() }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn client(server: &Server) -> SimulatorClient<Channel> {
    let channel = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();
    SimulatorClient::new(channel).max_decoding_message_size(64 << 20)
}

fn at(x: f64, y: f64, z: f64, yaw: f64) -> proto::Transform {
    proto::Transform { location: Some(proto::Vector { x, y, z }), yaw, pitch: 0.0, roll: 0.0 }
}

async fn spawn(client: &mut SimulatorClient<Channel>, blueprint: &str, transform: proto::Transform) -> proto::Actor {
    let request = proto::SpawnRequest {
        blueprint: blueprint.into(),
        place: Some(Place::Transform(transform)),
        ..Default::default()
    };
    client.spawn(request).await.unwrap().into_inner().actor.unwrap()
}

#[test]
fn a_world_is_stepped_and_its_sensors_carry_one_frame_number() {
    let server = Server::start(local());
    run(async {
        let mut client = client(&server).await;
        let world =
            client.load_world(proto::LoadWorldRequest { map: "masa".into(), seed: 7, step: 0.1 }).await.unwrap();
        assert_eq!((world.get_ref().map.as_str(), world.get_ref().frame, world.get_ref().step), ("masa", 0, 0.1));
        let map = client.get_map(proto::GetMapRequest {}).await.unwrap().into_inner();
        let place = map.spawn_points[0];
        let car = spawn(&mut client, "vehicle.car", place).await;
        assert!(car.spawned && car.lane.is_some());

        // Nothing else fits there.
        let twice = proto::SpawnRequest {
            blueprint: "vehicle.bus".into(),
            place: Some(Place::Transform(place)),
            ..Default::default()
        };
        assert_eq!(client.spawn(twice).await.unwrap_err().code(), Code::AlreadyExists);

        let attach = |blueprint: &str, parent, transform| proto::AttachSensorRequest {
            blueprint: blueprint.into(),
            transform: Some(transform),
            parent,
            attributes: match blueprint.contains("camera") {
                true => [("image_size_x", "160"), ("image_size_y", "96"), ("boxes", "1")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                false => Default::default(),
            },
        };
        let mut streams = Vec::new();
        // The camera stands 12 m behind the car and looks at it.
        let (sin, cos) = place.yaw.sin_cos();
        let car_at = place.location.unwrap();
        let behind = at(car_at.x - 12.0 * cos, car_at.y - 12.0 * sin, 3.0, place.yaw);
        let sensors = [
            ("sensor.camera.rgb", 0, behind),
            ("sensor.camera.instance", 0, behind),
            ("sensor.other.gnss", car.id, proto::Transform::default()),
            ("sensor.other.imu", car.id, proto::Transform::default()),
            ("sensor.other.truth", 0, behind),
        ];
        for (blueprint, parent, transform) in sensors {
            let sensor = client.attach_sensor(attach(blueprint, parent, transform)).await.unwrap().into_inner().sensor;
            streams.push(client.listen(proto::ListenRequest { sensor }).await.unwrap().into_inner());
        }
        let throttle = proto::VehicleControl { throttle: 1.0, ..Default::default() };
        client
            .apply_control(proto::ControlRequest { actor: car.id, control: Some(Control::Vehicle(throttle)) })
            .await
            .unwrap();
        for frame in 1..=5 {
            let snapshot = client.step(proto::StepRequest { steps: 1 }).await.unwrap().into_inner();
            assert_eq!((snapshot.frame, (snapshot.time * 10.0).round()), (frame, frame as f64));
            let state = snapshot.actors.iter().find(|actor| actor.id == car.id).unwrap();
            for stream in &mut streams {
                let data = stream.message().await.unwrap().unwrap();
                assert_eq!((data.frame, data.time), (frame, snapshot.time));
                match data.data.unwrap() {
                    Data::Image(image) if !image.boxes.is_empty() && image.data.len() == 160 * 96 * 3 => {
                        let seen =
                            image.boxes.iter().find(|seen| seen.actor == car.id).expect("the car is in the picture");
                        // It is straight ahead.
                        let middle = (seen.left + seen.right) / 2.0;
                        assert!((middle - 80.0).abs() < 4.0 && seen.visible > 0.9, "{seen:?}");
                    }
                    Data::Image(image) => {
                        let ids = image.data.as_chunks::<4>().0.iter().map(|id| u32::from_le_bytes(*id));
                        assert!(ids.filter(|id| *id == car.id).count() > 100);
                    }
                    Data::Gnss(fix) => {
                        let origin = (world.get_ref().latitude.unwrap(), world.get_ref().longitude.unwrap());
                        assert!((fix.latitude - origin.0).abs() < 0.01 && (fix.longitude - origin.1).abs() < 0.01);
                    }
                    Data::Imu(imu) => {
                        let v = imu.acceleration.unwrap();
                        assert!((v.z - 9.80665).abs() < 0.1 && v.x > 3.0 && v.y.abs() < 0.2, "{v:?}");
                    }
                    Data::Truth(truth) => {
                        let seen = truth.actors[0].transform.unwrap().location.unwrap();
                        let p = state.transform.unwrap().location.unwrap();
                        let away = (p.x - behind.location.unwrap().x).hypot(p.y - behind.location.unwrap().y);
                        assert!((seen.x - away).abs() < 1e-6 && seen.y.abs() < 1e-6, "{seen:?}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert!(client.destroy(proto::DestroyRequest { actor: car.id }).await.unwrap().into_inner().destroyed);
        let snapshot = client.get_snapshot(proto::GetSnapshotRequest {}).await.unwrap().into_inner();
        assert!(snapshot.actors.is_empty());
        // A new world ends the streams of the old one.
        client.load_world(proto::LoadWorldRequest::default()).await.unwrap();
        for stream in &mut streams {
            assert!(stream.message().await.unwrap().is_none());
        }
    });
}

#[test]
fn drivers_keep_to_the_road_and_stop_at_red() {
    let server = Server::start(local());
    run(async {
        let mut client = client(&server).await;
        client.load_world(proto::LoadWorldRequest { map: "masa".into(), seed: 3, step: 0.1 }).await.unwrap();
        let lights = client.get_traffic_lights(proto::GetTrafficLightsRequest {}).await.unwrap().into_inner().lights;
        assert!(!lights.is_empty());
        for light in &lights {
            let red = proto::SetTrafficLightStateRequest {
                controller: light.controller,
                link: light.link,
                state: proto::LightState::Red.into(),
            };
            client.set_traffic_light_state(red).await.unwrap();
        }
        let map = client.get_map(proto::GetMapRequest {}).await.unwrap().into_inner();
        let mut cars = Vec::new();
        for place in &map.spawn_points {
            let car = spawn(&mut client, "vehicle.car", *place).await;
            let control = proto::ControlRequest { actor: car.id, control: Some(Control::Autopilot(true)) };
            client.apply_control(control).await.unwrap();
            cars.push(car.id);
        }
        let mut fastest: f64 = 0.0;
        for _ in 0..60 {
            let snapshot = client.step(proto::StepRequest { steps: 10 }).await.unwrap().into_inner();
            for actor in &snapshot.actors {
                let speed = actor.velocity.map(|v| v.x.hypot(v.y)).unwrap();
                fastest = fastest.max(speed);
                assert!(actor.lane.is_some(), "{actor:?} has left the road");
            }
        }
        assert!(fastest > 5.0, "{fastest}");
        // After a minute of red somebody waits before a light, and who is before one stands.
        let lanes: Vec<u32> = lights.iter().flat_map(|light| light.lanes.clone()).collect();
        let length = |lane: u32| {
            let centre = &map.lanes.iter().find(|one| one.id == lane).unwrap().centre;
            centre.windows(2).map(|p| (p[1].x - p[0].x).hypot(p[1].y - p[0].y)).sum::<f64>()
        };
        let snapshot = client.get_snapshot(proto::GetSnapshotRequest {}).await.unwrap().into_inner();
        let before_light = |actor: &&proto::Actor| {
            let lane = actor.lane.as_ref().unwrap();
            lanes.contains(&lane.lane) && length(lane.lane) - lane.s < 8.0
        };
        let waiting: Vec<_> = snapshot.actors.iter().filter(before_light).collect();
        assert!(!waiting.is_empty());
        for actor in waiting {
            assert!(actor.velocity.is_some_and(|v| v.x.hypot(v.y) < 0.5), "{actor:?}");
        }
    });
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    let server = Server::start(local());
    run(async {
        let mut client = client(&server).await;
        let load = |map: &str, step| proto::LoadWorldRequest { map: map.into(), seed: 0, step };
        assert_eq!(client.load_world(load("nowhere", 0.0)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(client.load_world(load("/etc/passwd", 0.0)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(client.load_world(load("", 5.0)).await.unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(
            client.step(proto::StepRequest { steps: u32::MAX }).await.unwrap_err().code(),
            Code::InvalidArgument
        );
        for blueprint in ["vehicle.rocket", "sensor.camera.rgb", ""] {
            let place = Some(Place::Transform(at(0.0, 0.0, 0.0, 0.0)));
            let request = proto::SpawnRequest { blueprint: blueprint.into(), place, ..Default::default() };
            assert_eq!(client.spawn(request).await.unwrap_err().code(), Code::InvalidArgument, "{blueprint}");
        }
        let place = Some(Place::Transform(at(f64::NAN, 0.0, 0.0, 0.0)));
        let request = proto::SpawnRequest { blueprint: "vehicle.car".into(), place, ..Default::default() };
        assert_eq!(client.spawn(request).await.unwrap_err().code(), Code::InvalidArgument);
        let attach = |blueprint: &str, name: &str, value: &str| proto::AttachSensorRequest {
            blueprint: blueprint.into(),
            attributes: [(name.to_owned(), value.to_owned())].into(),
            ..Default::default()
        };
        for (blueprint, name, value) in [
            ("sensor.camera.rgb", "image_size_x", "1000000"),
            ("sensor.camera.rgb", "colour", "1"),
            ("sensor.camera.rgb", "fov", "NaN"),
            ("sensor.other.smell", "range", "1"),
        ] {
            let refused = client.attach_sensor(attach(blueprint, name, value)).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
            assert!(refused.message().contains(if blueprint.ends_with("smell") { "smell" } else { name }), "{refused}");
        }
        assert_eq!(client.listen(proto::ListenRequest { sensor: 1 }).await.unwrap_err().code(), Code::NotFound);
        let control = proto::ControlRequest { actor: 12, control: Some(Control::Autopilot(true)) };
        assert_eq!(client.apply_control(control).await.unwrap_err().code(), Code::NotFound);
        let weather = proto::Weather { visibility: -1.0, ..Default::default() };
        assert!(client.set_weather(weather).await.unwrap_err().message().contains("visibility"));
    });
}

#[test]
fn only_who_shows_the_token_comes_in() {
    let server = Server::start(Settings { token: Some("sesame".into()), ..local() });
    run(async {
        let mut client = client(&server).await;
        assert_eq!(client.describe(proto::DescribeRequest {}).await.unwrap_err().code(), Code::Unauthenticated);
        for (token, enters) in [("Bearer sesam", false), ("Bearer sesame", true)] {
            let mut request = Request::new(proto::DescribeRequest {});
            request.metadata_mut().insert("authorization", token.parse().unwrap());
            assert_eq!(client.describe(request).await.is_ok(), enters, "{token}");
        }
    });
    let open_to_all = Settings { listen: ([0, 0, 0, 0], 0).into(), ..Settings::default() };
    assert!(matches!(run(open(&open_to_all)), Err(DoorError::Open(_))));
}

/// A Python that has grpcio, or none.
fn python() -> Option<String> {
    let given = std::env::var("MASA_PYTHON").ok();
    let candidates = given.into_iter().chain(["python3".to_owned()]);
    candidates.into_iter().find(|python| {
        let tried = std::process::Command::new(python).args(["-c", "import grpc, grpc_tools"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    })
}

#[test]
fn the_python_example_drives_and_writes_pictures() {
    let Some(python) = python() else {
        println!("skipped: the_python_example_drives_and_writes_pictures: no Python with grpcio and grpcio-tools");
        return;
    };
    let server = Server::start(local());
    let pictures = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let drive = |arguments: &[&str]| {
        let output = std::process::Command::new(&python)
            .args(arguments)
            .args(["--port", &server.address.port().to_string()])
            .current_dir(&here)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let folder = pictures.path().to_str().unwrap().to_owned();
    let text = drive(&["examples/drive.py", "--seconds", "2", "--output", &folder]);
    assert_eq!(text.lines().filter(|line| line.starts_with("frame ")).count(), 2, "{text}");
    let files: Vec<_> = std::fs::read_dir(&pictures).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let image = image::open(&file).unwrap().into_rgb8();
        assert_eq!(image.dimensions(), (640, 384));
        let brightest = image.pixels().flat_map(|pixel| pixel.0).max();
        assert!(brightest > Some(100), "{} is dark", file.display());
    }
    let text = drive(&["tests/client.py"]);
    assert!(text.ends_with("all is well\n"), "{text}");
}
