//! `masa listen`: decoded messages, live.

use crate::replay::hex;
use crate::terminal::{stop_signal, time_of_day};
use anyhow::{Context, bail};
use clap::Args;
use masa_links::{Kind, MqttSettings, Reader, ReaderSettings, Received, Secret, Selector, ZenohSettings};
use masa_v2x_proto::Message;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::tiles::{straight_ahead, tiles_along};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;

/// Show V2X messages as they arrive: a table for people, or JSON lines.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Listen to an MQTT broker; with neither --mqtt nor --zenoh, to mqtt://127.0.0.1:1883.
    #[arg(long, value_name = "URL")]
    mqtt: Option<String>,
    /// Listen on Zenoh, connected to this endpoint, such as tcp/127.0.0.1:7447.
    #[arg(long, value_name = "ENDPOINT")]
    zenoh: Option<String>,
    /// Only this site.
    #[arg(long)]
    site: Option<String>,
    /// Only this station.
    #[arg(long)]
    station: Option<u32>,
    /// Only this kind; may be repeated. Without it, every V2X message; `observation` and `health` are asked for by name.
    #[arg(long, value_parser = kind_of)]
    kind: Vec<Kind>,
    /// Only what matters ahead: latitude, longitude and heading, degrees, such as 44.6555,10.9343,90. What holds there
    /// (hazards, junctions, signs) comes at once.
    #[arg(long, value_name = "LAT,LON,HEADING", value_parser = ahead_of, allow_hyphen_values = true)]
    ahead: Option<Ahead>,
    /// How far ahead, metres.
    #[arg(long, value_name = "METRES", default_value_t = 500.0, requires = "ahead")]
    distance: f64,
    /// How far to the sides of the way ahead, metres.
    #[arg(long, value_name = "METRES", default_value_t = 50.0, requires = "ahead")]
    beside: f64,
    /// One JSON line a message: its header, its UPER bytes as hex, its decoded values.
    #[arg(long)]
    json: bool,
    /// Stop after so many messages.
    #[arg(long)]
    count: Option<u64>,
    /// Stop after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
}

/// Where somebody is and goes.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    position: Wgs84,
    heading_deg: f64,
}

fn ahead_of(text: &str) -> Result<Ahead, String> {
    let numbers: Vec<f64> = text
        .split(',')
        .map(|part| part.trim().parse().map_err(|_| part))
        .collect::<Result<_, _>>()
        .map_err(|part| format!("{part:?} is not a number"))?;
    match numbers[..] {
        [lat_deg, lon_deg, heading_deg]
            if lat_deg.abs() <= 85.0 && lon_deg.abs() <= 180.0 && heading_deg.is_finite() =>
        {
            Ok(Ahead { position: Wgs84 { lat_deg, lon_deg, alt_m: 0.0 }, heading_deg })
        }
        _ => Err("expected latitude, longitude and heading, degrees".into()),
    }
}

/// Most tiles of what is ahead; a longer way is covered by larger ones.
const MAX_TILES: usize = 64;

fn kind_of(name: &str) -> Result<Kind, String> {
    let known = || Kind::ALL.map(Kind::name).join(", ");
    Kind::from_name(name).ok_or_else(|| format!("not one of {}", known()))
}

impl Listen {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.listen())
    }

    async fn listen(self) -> anyhow::Result<()> {
        let mut settings = ReaderSettings::default();
        if let Some(endpoint) = &self.zenoh {
            settings.zenoh = Some(ZenohSettings { connect: vec![endpoint.clone()], ..ZenohSettings::default() });
        }
        if self.mqtt.is_some() || self.zenoh.is_none() {
            let url = self.mqtt.as_deref().unwrap_or("mqtt://127.0.0.1:1883");
            settings.mqtt = Some(mqtt_settings(url)?);
        }
        let mut reader = Reader::subscribe(&settings, &self.selectors())?;
        let duration = self.duration.map(Duration::try_from_secs_f64).transpose()?;
        let until = duration.map(|duration| tokio::time::Instant::now() + duration);
        let mut out = io::stdout().lock();
        if !self.json {
            writeln!(out, "{:<12} {:<6} {:<20} {:>5}  content", "received", "link", "message", "bytes")?;
        }
        let mut shown = 0;
        while self.count.is_none_or(|count| shown < count) {
            let time_over = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let received = tokio::select! {
                received = reader.recv() => received,
                () = time_over => break,
                signal = stop_signal() => { signal?; break }
            };
            if self.json {
                writeln!(out, "{}", json_line(&received))?;
            } else {
                writeln!(out, "{}", row(&received))?;
            }
            out.flush()?;
            shown += 1;
        }
        if self.count.is_some_and(|count| shown < count) {
            bail!("{shown} messages came, {} were asked for", self.count.unwrap_or(0));
        }
        Ok(())
    }

    fn selectors(&self) -> Vec<Selector> {
        let tiles = self.ahead.map_or_else(Vec::new, |Ahead { position, heading_deg }| {
            tiles_along(&straight_ahead(position, heading_deg, self.distance), self.beside, MAX_TILES)
        });
        let base = Selector { site: self.site.clone(), station: self.station, tiles, ..Selector::default() };
        if self.kind.is_empty() {
            return vec![base];
        }
        self.kind.iter().map(|&kind| Selector { kind: Some(kind), ..base.clone() }).collect()
    }
}

fn json_line(received: &Received) -> Value {
    let mut line = json!({
        "received_at_ns": received.received_at.unix_ns(),
        "link": received.link.name(),
        "site": received.site,
        "station": received.station,
        "kind": received.kind.name(),
        "quadkey": received.quadkey,
        "id": received.header.as_ref().map(|header| &header.id),
        "uper": hex(&received.uper),
    });
    if let Kind::Observation | Kind::Health = received.kind {
        line["message"] = serde_json::from_slice(&received.uper).unwrap_or_default();
        return line;
    }
    match Message::decode(&received.uper) {
        Ok(message) => line["message"] = message.to_jer(Release::R2),
        Err(error) => line["error"] = error.to_string().into(),
    }
    line
}

fn row(received: &Received) -> String {
    let id = received
        .header
        .as_ref()
        .map_or_else(|| format!("{}-{}", received.station, received.kind.name()), |header| header.id.clone());
    let content = match received.kind {
        Kind::Observation | Kind::Health => String::from_utf8_lossy(&received.uper).into_owned(),
        Kind::V2x(_) => match Message::decode(&received.uper) {
            Ok(message) => summary(&message),
            Err(error) => format!("does not decode: {error}"),
        },
    };
    let at = time_of_day(received.received_at);
    format!("{at:<12} {:<6} {id:<20} {:>5}  {content}", received.link.name(), received.uper.len())
}

/// Settings of `mqtt://[user[:password]@]host[:port]`.
fn mqtt_settings(url: &str) -> anyhow::Result<MqttSettings> {
    let rest = url.strip_prefix("mqtt://").with_context(|| format!("`{url}` does not begin with mqtt://"))?;
    let (login, address) = rest.rsplit_once('@').map_or((None, rest), |(login, address)| (Some(login), address));
    let address = address.trim_end_matches('/');
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().with_context(|| format!("`{port}` is not a port"))?),
        None => (address, 1883),
    };
    let mut settings = MqttSettings { host: host.to_owned(), port, ..MqttSettings::default() };
    settings.client_id = Some(format!("masa-listen-{}", std::process::id()));
    if let Some(login) = login {
        let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
        settings.user = Some(user.to_owned());
        settings.password = password.map(Secret::new);
    }
    Ok(settings)
}

/// Number of perceived objects in a CPM; 0 in anything else.
pub(crate) fn perceived_objects(message: &Message) -> usize {
    let values = message.to_jer(Release::R2);
    let containers = values["payload"]["cpmContainers"].as_array().map_or(&[][..], Vec::as_slice);
    containers.iter().filter_map(|c| c["containerData"]["perceivedObjects"].as_array()).map(Vec::len).sum()
}

/// What a person wants to know of a message at a glance.
fn summary(message: &Message) -> String {
    let values = message.to_jer(Release::R2);
    match message {
        Message::Cpm(_) => format!("{} objects", perceived_objects(message)),
        Message::Denm(_) => {
            let management = &values["denm"]["management"];
            let action = &management["actionId"];
            let cause = &values["denm"]["situation"]["eventType"]["ccAndScc"];
            let what = match management["termination"].as_str() {
                Some(termination) => termination.to_owned(),
                None => cause.as_object().and_then(|c| c.keys().next()).cloned().unwrap_or_default(),
            };
            format!("{what}, action {}-{}", action["originatingStationId"], action["sequenceNumber"])
        }
        other => other.position().map_or_else(String::new, |at| format!("at {:.6}, {:.6}", at.lat_deg, at.lon_deg)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_named_with_and_without_port_and_login() {
        let plain = mqtt_settings("mqtt://127.0.0.1").expect("valid");
        assert_eq!((plain.host.as_str(), plain.port, plain.user), ("127.0.0.1", 1883, None));
        let full = mqtt_settings("mqtt://city:secret@broker.example:8883/").expect("valid");
        assert_eq!((full.host.as_str(), full.port, full.user.as_deref()), ("broker.example", 8883, Some("city")));
        assert!(mqtt_settings("http://x").is_err() && mqtt_settings("mqtt://x:y").is_err());
    }

    #[test]
    fn a_summary_says_where_only_what_is_somewhere() {
        for (sample, expected) in [
            (include_str!("../../v2x-proto/tests/samples/cam.hex"), "at "),
            (include_str!("../../v2x-proto/tests/samples/mapem.hex"), "at "),
            (include_str!("../../v2x-proto/tests/samples/ivim.hex"), "at "),
            (include_str!("../../v2x-proto/tests/samples/spatem.hex"), ""),
            (include_str!("../../v2x-proto/tests/samples/ssem.hex"), ""),
        ] {
            let bytes = crate::v2x::from_hex(sample.trim()).expect("hex");
            let message = Message::decode(&bytes).expect("a message");
            let words = summary(&message);
            assert!(words.starts_with(expected) && words.is_empty() == expected.is_empty(), "{words:?}: {message:?}");
            assert!(!words.contains("0.000000"), "{words}");
        }
    }
}
