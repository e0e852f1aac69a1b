//! The demo's data room: the real one with its embedded store, and the city services of the shipped map.

use anyhow::Context;
use masa_data_room::api::Scope;
use masa_data_room::ingest::Report;
use masa_data_room::settings::ServicesSettings;
use masa_data_room::store::{Filter, Latest, MAX_PAGE};
use masa_data_room::{DataRoom, DataRoomSettings, Kind, Tenant};
use masa_edge_node::effect::MessageKind;
use masa_links::{Mode, MqttSettings, ZenohSettings, clock};
use masa_sim::roads::Roads;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name under which the data room acknowledges.
pub(super) const ACKNOWLEDGES_AS: &str = "data-room";
/// Time that the batch under way gets at the end.
const FLUSH: Duration = Duration::from_secs(5);
/// The token that the printed address carries.
const OPERATOR: &str = "demo-operator";
/// It is worth nothing after a working day, milliseconds.
const TOKEN_MS: i64 = 8 * 3_600_000;
/// What is counted on the shipped map `masa`.
const SERVICES: &str = include_str!("../../../deploy/demo/services.toml");

/// Where the data room finds the street, and where it is found.
#[derive(Debug)]
pub(super) struct CitySettings<'a> {
    /// The page and the API.
    pub(super) listen: SocketAddr,
    /// The broker at the first station.
    pub(super) broker: SocketAddr,
    /// The Zenoh router at the first station.
    pub(super) zenoh: SocketAddr,
    /// Records, tokens, the site map.
    pub(super) folder: PathBuf,
    /// The scenario's map.
    pub(super) map: &'a str,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct CityReport {
    ingest: Report,
    /// Entities that the city services wrote.
    found: usize,
}

/// A running data room with somebody who may look at it.
#[derive(Debug)]
pub(super) struct City {
    data_room: DataRoom,
    token: String,
    begun: Timestamp,
}

impl City {
    /// Starts it; a broker that does not listen yet is tried again.
    pub(super) async fn start(settings: &CitySettings<'_>) -> anyhow::Result<Self> {
        let settings = data_room(settings)?;
        let tokens = settings.api.tokens()?;
        if tokens.list()?.iter().any(|token| token.name == OPERATOR) {
            tokens.revoke(OPERATOR)?;
        }
        let scopes = [Scope::ReadTraffic, Scope::ReadPersonal, Scope::WriteAlerts].into();
        let now = clock::now();
        let expires = Timestamp::from_unix_ms(now.unix_ms() + TOKEN_MS);
        let token = tokens.create(OPERATOR, Tenant::default(), scopes, now, Some(expires))?;
        let data_room = DataRoom::start(&settings).await.context("starting the data room")?;
        Ok(Self { data_room, token, begun: now })
    }

    /// The control room's page, with a token behind the `#`, which browsers keep to themselves.
    pub(super) fn page(&self) -> String {
        format!("http://{}/#token={}", self.data_room.address(), self.token)
    }

    /// Stores what is under way and closes.
    pub(super) async fn stop(self) -> anyhow::Result<CityReport> {
        let room = self.data_room.room().clone();
        let filter = Filter { kinds: vec![Kind::Service], ..Filter::of(Tenant::default()) };
        let at = clock::now();
        let look_back_ms = at.unix_ms() - self.begun.unix_ms();
        let found = room.store.latest(Latest { filter, at, look_back_ms, limit: MAX_PAGE }).await?.len();
        self.data_room.shutdown(FLUSH).await;
        Ok(CityReport { ingest: room.ledger.report(), found })
    }
}

fn data_room(city: &CitySettings<'_>) -> anyhow::Result<DataRoomSettings> {
    std::fs::create_dir_all(&city.folder).with_context(|| city.folder.display().to_string())?;
    let mut settings = DataRoomSettings { listen: city.listen, ..DataRoomSettings::default() };
    settings.store.embedded.folder = city.folder.clone();
    settings.api.folder = city.folder.clone();
    settings.ingest.acknowledge_as = ACKNOWLEDGES_AS.into();
    settings.ingest.mqtt =
        Some(MqttSettings { client_id: Some("masa-demo-city".into()), ..MqttSettings::to_local_broker(city.broker) });
    settings.ingest.zenoh = Some(ZenohSettings {
        mode: Mode::Client,
        connect: vec![format!("tcp/{}", city.zenoh)],
        ..ZenohSettings::default()
    });
    settings.control_room.name = "Demo".into();
    settings.control_room.map = site_map(&city.folder, city.map)?;
    if city.map == "masa" {
        let file = city.folder.join("services.toml");
        std::fs::write(&file, SERVICES).with_context(|| file.display().to_string())?;
        settings.services.push(ServicesSettings { tenant: Tenant::default(), file });
    }
    Ok(settings)
}

/// Writes the site map of a shipped network that lies on the globe.
fn site_map(folder: &Path, map: &str) -> anyhow::Result<Option<PathBuf>> {
    let Some(geojson) = Roads::shipped(map).ok().and_then(|roads| roads.to_geojson()) else { return Ok(None) };
    let file = folder.join("map.geojson");
    std::fs::write(&file, geojson.to_string()).with_context(|| file.display().to_string())?;
    Ok(Some(file))
}

impl CityReport {
    /// What a demo must show and did not, beside the messages that the roadside node `made`.
    pub(super) fn unmet(&self, made: &BTreeMap<MessageKind, u64>) -> Vec<String> {
        let mut unmet = Vec::new();
        for kind in [MessageKind::Cam, MessageKind::Cpm] {
            let made = made.get(&kind).copied().unwrap_or(0);
            let stored = self.ingest.sources.iter().filter_map(|source| source.kinds.get(&Kind::V2x(kind)));
            let stored: u64 = stored.sum();
            // It begins a moment after the nodes, and the last ones may still be on their way.
            if stored * 10 < made * 8 {
                unmet.push(format!("the data room stored {stored} of {made} {}", kind.name()));
            }
        }
        if let Some(trouble) = &self.ingest.trouble {
            unmet.push(format!("the data room's store takes records: {trouble}"));
        }
        for (reason, count) in &self.ingest.refused {
            unmet.push(format!("the data room refused {count} messages: {reason}"));
        }
        unmet
    }

    /// For the end of the demo.
    pub(super) fn print(&self) {
        println!("data room:");
        let Report { stored, duplicates, sources, .. } = &self.ingest;
        println!("  {stored} records of {} stations stored, {duplicates} came more than once", sources.len());
        println!("  {} entities of the city services", self.found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_data_room::services::site::ServiceSite;

    #[test]
    fn services_lie_on_the_shipped_map() {
        let site: ServiceSite = toml::from_str(SERVICES).expect("it parses");
        site.check().expect("it is sound");
        let origin = Roads::shipped("masa").expect("it is shipped").geo.expect("it lies on the globe").origin;
        let apart_deg = (site.origin.latitude_deg - origin.lat_deg).hypot(site.origin.longitude_deg - origin.lon_deg);
        assert!(apart_deg < 1e-9, "{apart_deg}");
    }

    #[test]
    fn a_data_room_that_missed_messages_is_told_of() {
        let made = BTreeMap::from([(MessageKind::Cam, 10)]);
        assert_eq!(CityReport::default().unmet(&made), ["the data room stored 0 of 10 cam"]);
    }
}
