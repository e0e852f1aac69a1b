//! How fast the door is: steps, and camera frames, a second over gRPC on this machine.
//!
//! `cargo run --release -p masa-sim --features door --example door_speed`

use masa_sim::door::proto::simulator_client::SimulatorClient;
use masa_sim::door::proto::{self, control_request::Control, sensor_data::Data, spawn_request::Place};
use masa_sim::door::{Settings, open};
use std::time::Instant;

type Error = Box<dyn std::error::Error>;

#[allow(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> Instant {
    Instant::now()
}

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let opened = open(&Settings { listen: ([127, 0, 0, 1], 0).into(), ..Settings::default() }).await?;
        let address = opened.address();
        let server = tokio::spawn(opened.serve(std::future::pending()));
        let mut client =
            SimulatorClient::connect(format!("http://{address}")).await?.max_decoding_message_size(64 << 20);
        client.load_world(proto::LoadWorldRequest { map: "masa".into(), seed: 1, step: 0.05 }).await?;

        let steps = 2000;
        let began = now();
        for _ in 0..steps {
            client.step(proto::StepRequest { steps: 1 }).await?;
        }
        println!("empty world: {:.0} steps/s", f64::from(steps) / began.elapsed().as_secs_f64());

        let map = client.get_map(proto::GetMapRequest {}).await?.into_inner();
        let mut cars = 0;
        for place in map.spawn_points.iter().take(30) {
            let place = Some(Place::Transform(*place));
            let request = proto::SpawnRequest { blueprint: "vehicle.car".into(), place, ..Default::default() };
            let Some(car) = client.spawn(request).await?.into_inner().actor else { continue };
            let control = Some(Control::Autopilot(true));
            client.apply_control(proto::ControlRequest { actor: car.id, control }).await?;
            cars += 1;
        }
        let steps = 500;
        let began = now();
        for _ in 0..steps {
            client.step(proto::StepRequest { steps: 1 }).await?;
        }
        println!("{cars} cars: {:.0} steps/s", f64::from(steps) / began.elapsed().as_secs_f64());

        let above = proto::Transform {
            location: Some(proto::Vector { x: -25.0, y: -25.0, z: 8.0 }),
            yaw: std::f64::consts::FRAC_PI_4,
            pitch: -0.3,
            roll: 0.0,
        };
        let attributes = [("boxes".to_owned(), "1".to_owned())].into();
        let sensor = client
            .attach_sensor(proto::AttachSensorRequest {
                blueprint: "sensor.camera.rgb".into(),
                transform: Some(above),
                parent: 0,
                attributes,
            })
            .await?
            .into_inner()
            .sensor;
        let mut stream = client.listen(proto::ListenRequest { sensor }).await?.into_inner();
        // The first frame draws what does not move.
        let (frames, mut bytes, mut boxes) = (100, 0, 0);
        client.step(proto::StepRequest { steps: 1 }).await?;
        stream.message().await?;
        let began = now();
        for _ in 0..frames {
            client.step(proto::StepRequest { steps: 1 }).await?;
            if let Some(Data::Image(image)) = stream.message().await?.and_then(|data| data.data) {
                bytes += image.data.len();
                boxes += image.boxes.len();
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "640×384 camera with boxes, {cars} cars: {:.1} frames/s, {:.0} MB/s, {:.1} boxes a frame",
            f64::from(frames) / seconds,
            bytes as f64 / seconds / 1e6,
            boxes as f64 / f64::from(frames)
        );
        server.abort();
        Ok(())
    })
}
