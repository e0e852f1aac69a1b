//! Simulated devices as a node reads them.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use masa_edge_node::event::SourceId;
use masa_edge_node::sources::camera::{self, CameraOutput, CameraSourceSettings};
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::stop::StopToken;
use masa_sim::live::mjpeg::{MjpegServer, Picture};
use masa_v2x_proto::time::Timestamp;

fn jpeg(shade: u8) -> Bytes {
    let image = image::RgbImage::from_pixel(64, 48, image::Rgb([shade; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_reads_a_simulated_camera_with_the_times_of_its_shutter() {
    let server = MjpegServer::start(([127, 0, 0, 1], 0).into(), ["north".to_owned()]).await.unwrap();
    let settings: CameraSourceSettings =
        toml::from_str(&format!("kind = \"mjpeg\"\nurl = \"{}\"\ntimes = \"x-timestamp\"", server.url("north")))
            .unwrap();
    let camera = camera::spawn(settings, SourceId(1), "north", Clock::system(), &StopToken::new()).unwrap();
    let base = 1_760_000_000_000;
    assert!(!server.show("south", Picture { jpeg: jpeg(0), captured_at: Timestamp::from_unix_ms(base) }));
    let frames = tokio::task::spawn_blocking(move || {
        let mut frames = Vec::new();
        let mut shown = 0;
        while frames.len() < 3 {
            shown += 1;
            let captured_at = Timestamp::from_unix_ms(base + shown * 100);
            server.show("north", Picture { jpeg: jpeg(40 * (shown % 6) as u8), captured_at });
            while let Ok(output) = camera.recv_timeout(std::time::Duration::from_millis(50)) {
                if let CameraOutput::Frame(frame) = output {
                    frames.push((shown, frame));
                    break;
                }
            }
        }
        frames
    })
    .await
    .unwrap();
    for (shown, frame) in frames {
        let behind_ms = base + shown * 100 - frame.captured_at.unix_ms();
        assert!((0..=300).contains(&behind_ms), "{behind_ms}");
        assert_eq!((frame.image.width, frame.image.height), (64, 48));
    }
}
