//! The settings of a whole data room: what a configuration file may say. Without a file everything is embedded.

use crate::api::ApiSettings;
use crate::control_room::ControlRoomSettings;
use crate::ingest::IngestSettings;
use crate::record::Tenant;
use crate::store::Policies;
use crate::store::embedded::EmbeddedSettings;
use crate::store::postgres::PostgresSettings;
use masa_links::BrokerSettings;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// A data room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DataRoomSettings {
    /// Where the servers listen.
    pub listen: SocketAddr,
    /// What the servers give, and to whom.
    pub api: ApiSettings,
    /// The page and what raises alarms.
    pub control_room: ControlRoomSettings,
    /// Where messages come from.
    pub ingest: IngestSettings,
    /// An MQTT broker inside this process; absent: the one inside, on its default port, if `ingest` names neither a broker
    /// nor Zenoh.
    pub broker: Option<BrokerSettings>,
    /// Where records are kept.
    pub store: StoreSettings,
    /// How long.
    pub policies: Policies,
    /// Seconds between two applications of the policies.
    pub sweep_s: u32,
    /// City services, site by site.
    pub services: Vec<ServicesSettings>,
}

/// The city services of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServicesSettings {
    /// Whose site it is.
    #[serde(default)]
    pub tenant: Tenant,
    /// What is counted and where: a TOML file ([`crate::services::site::ServiceSite`]).
    pub file: PathBuf,
}

impl Default for DataRoomSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)),
            api: ApiSettings::default(),
            control_room: ControlRoomSettings::default(),
            ingest: IngestSettings::default(),
            broker: None,
            store: StoreSettings::default(),
            policies: Policies::default(),
            sweep_s: 300,
            services: Vec::new(),
        }
    }
}

/// Which store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct StoreSettings {
    /// A PostgreSQL database; absent: the embedded store.
    pub postgres: Option<PostgresSettings>,
    /// The embedded store.
    pub embedded: EmbeddedSettings,
}

impl DataRoomSettings {
    /// The broker to run: the one that is asked for, or the default one when there is nothing else to read from.
    pub fn broker(&self) -> Option<BrokerSettings> {
        let alone = self.ingest.mqtt.is_none() && self.ingest.zenoh.is_none();
        self.broker.clone().or_else(|| alone.then(BrokerSettings::default))
    }
}
