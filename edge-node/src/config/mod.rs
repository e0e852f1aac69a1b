//! Configuration: one TOML file per node and one per site.
//!
//! In: the path of a node file. Out: a [`Configuration`] with every relative path resolved against the file it stands in
//! and every calibration file read, so that it can be kept in a recording and needs no other file to replay.

mod text;

pub use text::{parse as parse_toml, toml_string};

use crate::event::SourceId;
use crate::facilities::FacilitiesSettings;
use crate::facilities::profile::{Profile, StationKind};
use crate::keystore::SecuritySection;
use crate::perception::CameraSettings;
use crate::perception::lidar::LidarSettings;
use crate::perception::privacy::PrivacySettings;
use crate::perception::radar::RadarSettings;
use crate::perception::ranging::RangingSettings;
use crate::recorder::raw_ring::RawRingSettings;
use crate::recorder::{FrameRecording, RecorderSettings};
use crate::run::engine::InferenceSettings;
use crate::sources::camera::{CameraSourceSettings, Pace};
use crate::sources::gnss::{GnssMedium, GnssSettings};
use crate::sources::iot_mqtt::IotSettings;
use crate::sources::signal_controller::ControllerSettings;
use crate::sources::v2x_in::V2xInSettings;
use crate::web::WebSettings;
use crate::world::WorldSettings;
use crate::world::infrastructure::{IntersectionSettings, SignSettings};
use crate::world::ldm::LdmSettings;
use crate::world::site::ZoneSettings;
use masa_inference::EngineSettings;
use masa_links::LinksSettings;
use masa_v2x_proto::geo::Wgs84;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The text does not fit.
    #[error("{path}:{line}: {what}")]
    Text {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what would be right where that can be guessed.
        what: String,
    },
    /// The parts do not fit each other.
    #[error("{path}: {what}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// A node file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeFile {
    /// Who the node is.
    pub node: NodeSection,
    /// How networks run.
    #[serde(default)]
    pub engine: EngineSettings,
    /// How networks serve the cameras.
    #[serde(default)]
    pub inference: InferenceSettings,
    /// Cameras of the site that this node reads.
    #[serde(default, rename = "camera")]
    pub cameras: Vec<CameraSection>,
    /// Radars and lidars of the site whose scans this node takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranging: Vec<RangingSection>,
    /// IoT sensors over MQTT; absent: none.
    pub iot: Option<IotSettings>,
    /// The receiver that tells a mobile station where it is; absent: none.
    pub gnss: Option<GnssSettings>,
    /// The signal controller over MQTT; absent: none.
    pub signal_controller: Option<ControllerSettings>,
    /// Where messages go.
    #[serde(default)]
    pub links: LinksSettings,
    /// Certificates of what goes over radio links; absent: nothing is signed or verified.
    pub security: Option<SecuritySection>,
    /// Where messages of other stations come from; absent: none are read.
    pub v2x_in: Option<V2xInSettings>,
    /// How long what other stations say is kept.
    #[serde(default)]
    pub ldm: LdmSettings,
    /// How sources become road users, and what of them is a situation.
    #[serde(default)]
    pub world: WorldSettings,
    /// The live page; absent: none.
    pub web: Option<WebSettings>,
    /// What is made unrecognisable in pictures that leave.
    #[serde(default)]
    pub privacy: PrivacySettings,
    /// Raw pictures of the last minutes, encrypted; absent: none are kept.
    pub raw_ring: Option<RawRingSettings>,
    /// The event log; absent: none.
    pub recording: Option<RecorderSettings>,
    /// The rules by which messages go out.
    #[serde(default)]
    pub facilities: FacilitiesSettings,
}

/// Who the node is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeSection {
    /// Name, as shown.
    pub name: String,
    /// ETSI `StationId`.
    pub station_id: u32,
    /// What kind of station it is: decides which rules its messages follow.
    #[serde(default)]
    pub station_type: StationKind,
    /// Where what must survive a restart is kept (sequence numbers of events), relative to this file; absent: nowhere.
    #[serde(default)]
    pub state_directory: Option<PathBuf>,
    /// The site file, relative to this one.
    pub site: PathBuf,
    /// Where the station's antenna stands, `[east, north, up]` metres of the site origin.
    #[serde(default)]
    pub position_m: [f64; 3],
}

/// One camera that a node reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraSection {
    /// Its id in the site file.
    pub id: String,
    /// Where its pictures come from.
    pub source: CameraSourceSettings,
    /// The model description, relative to this file.
    pub model: PathBuf,
    /// The ONNX file, when it is not where the description says.
    pub model_file: Option<PathBuf>,
}

/// One radar or lidar whose scans a node takes. Today only the simulator has a source of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RangingSection {
    /// Its id in the site file.
    pub id: String,
}

/// A site file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SiteFile {
    /// Which site.
    pub site: SiteSection,
    /// Origin of the site's ENU frame.
    pub origin: Origin,
    /// Its cameras.
    #[serde(default, rename = "camera")]
    pub cameras: Vec<CameraSettings>,
    /// Its radars.
    #[serde(default, rename = "radar", skip_serializing_if = "Vec::is_empty")]
    pub radars: Vec<RadarSettings>,
    /// Its lidars.
    #[serde(default, rename = "lidar", skip_serializing_if = "Vec::is_empty")]
    pub lidars: Vec<LidarSettings>,
    /// Its map.
    #[serde(default, rename = "zone")]
    pub zones: Vec<ZoneSettings>,
    /// Its signalised intersections.
    #[serde(default, rename = "intersection")]
    pub intersections: Vec<IntersectionSettings>,
    /// Its signs.
    #[serde(default, rename = "sign")]
    pub signs: Vec<SignSettings>,
}

impl SiteFile {
    /// Reads a site file and its calibration files; `lookup` answers for `${NAME}`.
    ///
    /// # Errors
    /// When a file cannot be read or does not parse; the error names it.
    pub fn load(path: &Path, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut site: Self = text::load(path, lookup)?;
        let base = path.parent().unwrap_or(Path::new(""));
        for camera in &mut site.cameras {
            camera
                .load_files(base)
                .map_err(|error| ConfigError::Content { path: path.to_owned(), what: error.to_string() })?;
        }
        Ok(site)
    }
}

impl SiteFile {
    /// The radar or lidar of a name.
    pub fn ranging(&self, id: &str) -> Option<RangingSettings> {
        let radar = self.radars.iter().find(|radar| radar.id == id).cloned().map(RangingSettings::Radar);
        let lidar = || self.lidars.iter().find(|lidar| lidar.id == id).cloned().map(RangingSettings::Lidar);
        radar.or_else(lidar)
    }
}

/// Which site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SiteSection {
    /// Name in keys and topics: letters, digits, `-`, `_`, `.`.
    pub id: String,
    /// Name, as shown.
    pub name: String,
}

/// Origin of a site's ENU frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Origin {
    /// Degrees, north positive.
    pub latitude_deg: f64,
    /// Degrees, east positive.
    pub longitude_deg: f64,
    /// Metres above the WGS 84 ellipsoid.
    #[serde(default)]
    pub altitude_m: f64,
}

impl From<Origin> for Wgs84 {
    fn from(origin: Origin) -> Self {
        Self { lat_deg: origin.latitude_deg, lon_deg: origin.longitude_deg, alt_m: origin.altitude_m }
    }
}

/// A node's whole configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The node file it came from.
    pub path: PathBuf,
    /// The node.
    pub node: NodeFile,
    /// The site, calibration files read in.
    pub site: SiteFile,
}

impl Configuration {
    /// Reads a node file, its site file and its calibration files.
    ///
    /// # Errors
    /// When a file cannot be read, does not parse, or does not fit the others; the error names file and line.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let lookup = |name: &str| std::env::var(name).ok();
        let mut node: NodeFile = text::load(path, &lookup)?;
        let base = path.parent().unwrap_or(Path::new(""));
        resolve_node(&mut node, base);
        let site = SiteFile::load(&node.node.site, &lookup)?;
        let configuration = Self { path: path.to_owned(), node, site };
        configuration.check()?;
        Ok(configuration)
    }

    /// The names of all sources; a source's index is its [`SourceId`], 0 is the node itself.
    pub fn source_names(&self) -> Vec<String> {
        let mut names = vec!["node".to_owned()];
        names.extend(self.node.cameras.iter().map(|camera| camera.id.clone()));
        names.extend(self.node.ranging.iter().map(|sensor| sensor.id.clone()));
        names.extend(self.node.iot.iter().map(|_| "iot".to_owned()));
        names.extend(self.node.v2x_in.iter().map(|_| "v2x-in".to_owned()));
        names.extend(self.node.links.geonet.iter().map(|_| "geonet".to_owned()));
        names.extend(self.node.gnss.iter().map(|_| "gnss".to_owned()));
        names.extend(self.node.signal_controller.iter().map(|_| "signal-controller".to_owned()));
        names
    }

    /// The cameras this node reads, with their source ids and their site settings.
    pub fn cameras(&self) -> impl Iterator<Item = (SourceId, &CameraSection, &CameraSettings)> {
        self.node.cameras.iter().enumerate().filter_map(|(index, section)| {
            let settings = self.site.cameras.iter().find(|settings| settings.id == section.id)?;
            Some((sensor_source(index), section, settings))
        })
    }

    /// The radars and lidars this node takes scans of, with their source ids.
    pub fn ranging(&self) -> impl Iterator<Item = (SourceId, RangingSettings)> + '_ {
        let cameras = self.node.cameras.len();
        let known = self.node.ranging.iter().enumerate();
        known.filter_map(move |(index, sensor)| Some((sensor_source(cameras + index), self.site.ranging(&sensor.id)?)))
    }

    /// The source id of the IoT sensors.
    pub fn iot_source(&self) -> SourceId {
        sensor_source(self.node.cameras.len() + self.node.ranging.len())
    }

    /// The source id of messages of other stations.
    pub fn v2x_in_source(&self) -> SourceId {
        SourceId(self.iot_source().0 + u16::from(self.node.iot.is_some()))
    }

    /// The source id of messages that came over GeoNetworking.
    pub fn geonet_source(&self) -> SourceId {
        SourceId(self.v2x_in_source().0 + u16::from(self.node.v2x_in.is_some()))
    }

    /// The source id of the GNSS receiver.
    pub fn gnss_source(&self) -> SourceId {
        SourceId(self.geonet_source().0 + u16::from(self.node.links.geonet.is_some()))
    }

    /// The source id of the signal controller.
    pub fn signal_controller_source(&self) -> SourceId {
        SourceId(self.gnss_source().0 + u16::from(self.node.gnss.is_some()))
    }

    /// Whether anonymised pictures may go anywhere.
    pub fn emits_pictures(&self) -> bool {
        let shown = self.node.web.as_ref().is_some_and(|web| web.camera_view.shows_anonymised());
        let recorded = self.node.recording.as_ref().is_some_and(|recording| recording.frames != FrameRecording::Off);
        shown || recorded
    }

    /// Makes every file and folder source play at `pace`; live sources have their own.
    pub fn set_pace(&mut self, pace: Pace) {
        for camera in &mut self.node.cameras {
            match &mut camera.source {
                CameraSourceSettings::File(file) => file.pace = pace,
                CameraSourceSettings::Folder(folder) => folder.pace = pace,
                CameraSourceSettings::Mjpeg(_) | CameraSourceSettings::Rtsp(_) => {}
            }
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let content = |path: &Path, what: String| Err(ConfigError::Content { path: path.to_owned(), what });
        if self.node.cameras.len() > 64 {
            return content(&self.path, format!("{} cameras; a node reads at most 64", self.node.cameras.len()));
        }
        if self.node.gnss.is_some() && self.node.node.station_type.profile() == Profile::Roadside {
            return content(&self.path, "[gnss] is for a mobile station: set station-type, or drop it".to_owned());
        }
        let mut seen = BTreeSet::new();
        for camera in &self.node.cameras {
            if !seen.insert(&camera.id) {
                return content(&self.path, format!("camera `{}` is listed twice", camera.id));
            }
            if !self.site.cameras.iter().any(|known| known.id == camera.id) {
                let known: Vec<_> = self.site.cameras.iter().map(|known| known.id.as_str()).collect();
                let site = self.node.node.site.display();
                return content(
                    &self.path,
                    format!("camera `{}` is not in {site}, which has: {}", camera.id, known.join(", ")),
                );
            }
        }
        if self.node.ranging.len() > 64 {
            return content(&self.path, format!("{} radars and lidars; at most 64", self.node.ranging.len()));
        }
        for RangingSection { id } in &self.node.ranging {
            if !seen.insert(id) {
                return content(&self.path, format!("sensor `{id}` is listed twice"));
            }
            if self.site.ranging(id).is_none() {
                let known = self.site.radars.iter().map(|radar| radar.id.as_str());
                let known: Vec<_> = known.chain(self.site.lidars.iter().map(|lidar| lidar.id.as_str())).collect();
                let site = self.node.node.site.display();
                let known = known.join(", ");
                return content(&self.path, format!("`{id}` is no radar or lidar of {site}, which has: {known}"));
            }
        }
        let Origin { latitude_deg, longitude_deg, altitude_m } = self.site.origin;
        let on_earth = latitude_deg.abs() <= 90.0 && longitude_deg.abs() <= 180.0 && altitude_m.abs() < 1e4;
        if !on_earth {
            return content(
                &self.node.node.site,
                format!("origin {latitude_deg}, {longitude_deg}, {altitude_m} m is not on the surface of the earth"),
            );
        }
        Ok(())
    }
}

/// Cameras come first, then radars and lidars.
fn sensor_source(index: usize) -> SourceId {
    // At most 64 of each, checked.
    SourceId(u16::try_from(index + 1).unwrap_or(u16::MAX))
}

/// Makes every relative path of a node file relative to the file's folder.
fn resolve_node(node: &mut NodeFile, base: &Path) {
    let resolve = |path: &mut PathBuf| {
        if path.is_relative() {
            *path = base.join(&*path);
        }
    };
    resolve(&mut node.node.site);
    node.node.state_directory.iter_mut().for_each(resolve);
    node.engine.library.iter_mut().for_each(resolve);
    node.inference.resolve(base);
    for camera in &mut node.cameras {
        resolve(&mut camera.model);
        camera.model_file.iter_mut().for_each(resolve);
        match &mut camera.source {
            CameraSourceSettings::File(file) => resolve(&mut file.path),
            CameraSourceSettings::Folder(folder) => resolve(&mut folder.path),
            CameraSourceSettings::Mjpeg(_) | CameraSourceSettings::Rtsp(_) => {}
        }
    }
    if let Some(GnssSettings { source: GnssMedium::Device(path), .. }) = &mut node.gnss {
        resolve(path);
    }
    node.recording.iter_mut().for_each(|recording| resolve(&mut recording.directory));
    node.privacy.resolve(base);
    node.raw_ring.iter_mut().for_each(|ring| ring.resolve(base));
    node.links.outbox.path.iter_mut().for_each(resolve);
    if let Some(security) = &mut node.security {
        resolve(&mut security.trust);
        security.tickets.iter_mut().for_each(resolve);
    }
}
