//! What can be asked of a store: time ranges, places, kinds, sources, things, and the state of the world at a moment.

use crate::record::{Kind, Record, Sensitivity, Source, Tenant};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Most records of one page.
pub const MAX_PAGE: usize = 10_000;

/// Metres of one degree of latitude, and of longitude at the equator.
pub(super) const METRES_PER_DEGREE: f64 = 111_320.0;

/// A part of the earth; never across the 180th meridian.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// Between two parallels and two meridians, degrees, edges included.
    Box {
        /// Southern edge.
        south_deg: f64,
        /// Western edge.
        west_deg: f64,
        /// Northern edge.
        north_deg: f64,
        /// Eastern edge.
        east_deg: f64,
    },
    /// Around a point.
    Circle {
        /// Latitude of the centre, degrees.
        lat_deg: f64,
        /// Longitude of the centre, degrees.
        lon_deg: f64,
        /// Radius, metres; up to some tens of kilometres.
        radius_m: f64,
    },
}

impl Area {
    /// The box that holds it: south, west, north, east, degrees.
    pub fn bounds(&self) -> [f64; 4] {
        match *self {
            Self::Box { south_deg, west_deg, north_deg, east_deg } => [south_deg, west_deg, north_deg, east_deg],
            Self::Circle { lat_deg, lon_deg, radius_m } => {
                let lat = radius_m / METRES_PER_DEGREE;
                let lon = lat / lat_deg.to_radians().cos().max(1e-6);
                [lat_deg - lat, lon_deg - lon, lat_deg + lat, lon_deg + lon]
            }
        }
    }

    /// Whether a position is in it.
    pub fn contains(&self, at: &Wgs84) -> bool {
        let [south, west, north, east] = self.bounds();
        let in_box = (south..=north).contains(&at.lat_deg) && (west..=east).contains(&at.lon_deg);
        match *self {
            Self::Box { .. } => in_box,
            Self::Circle { lat_deg, lon_deg, radius_m } => {
                let north_m = (at.lat_deg - lat_deg) * METRES_PER_DEGREE;
                let east_m = (at.lon_deg - lon_deg) * METRES_PER_DEGREE * lat_deg.to_radians().cos();
                in_box && north_m.hypot(east_m) <= radius_m
            }
        }
    }
}

/// Which personal records an answer may hold. Whoever includes them leaves an audit entry ([`super::Store::note`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Personal {
    /// None.
    #[default]
    Exclude,
    /// All.
    Include,
}

impl Personal {
    /// Whether a record of this sensitivity may be in the answer.
    pub fn takes(self, sensitivity: Sensitivity) -> bool {
        self == Self::Include || sensitivity == Sensitivity::Open
    }
}

/// Which records; an empty list and `None` mean "any".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Filter {
    /// Whose; records of other tenants are never seen.
    pub tenant: Tenant,
    /// What.
    pub kinds: Vec<Kind>,
    /// Said by whom.
    pub source: Option<Source>,
    /// About what.
    pub entity: Option<String>,
    /// Where; records without a position are not in any area.
    pub area: Option<Area>,
    /// Personal data.
    pub personal: Personal,
}

impl Filter {
    /// Everything open of one tenant.
    pub fn of(tenant: Tenant) -> Self {
        Self { tenant, ..Self::default() }
    }

    /// Whether it takes a record.
    pub fn takes(&self, record: &Record) -> bool {
        record.tenant == self.tenant
            && (self.kinds.is_empty() || self.kinds.contains(&record.kind))
            && self.source.as_ref().is_none_or(|source| *source == record.source)
            && self.entity.as_ref().is_none_or(|entity| *entity == record.entity)
            && self.area.is_none_or(|area| record.position.is_some_and(|at| area.contains(&at)))
            && self.personal.takes(record.sensitivity)
    }
}

/// Which end of the answer comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// By `(measured_at, arrival)`, growing.
    #[default]
    OldestFirst,
    /// By `(measured_at, arrival)`, falling.
    NewestFirst,
    /// By `arrival`, growing: what is new since a position, nothing left out, for those who deliver it on.
    Arrival,
}

/// Where a page ended: the key of its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Its `measured_at`, nanoseconds of Unix time; not looked at in [`Order::Arrival`].
    pub measured_at_ns: i64,
    /// Its `arrival`.
    pub arrival: u64,
}

impl Cursor {
    /// After this record.
    pub fn after(record: &Record) -> Self {
        Self { measured_at_ns: record.measured_at.unix_ns(), arrival: record.arrival }
    }

    /// After this position of arrival, for [`Order::Arrival`]; 0 for the beginning.
    pub const fn arrived(arrival: u64) -> Self {
        Self { measured_at_ns: 0, arrival }
    }
}

/// Records of a time range, in order, page by page.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which records.
    pub filter: Filter,
    /// `measured_at` from here, included.
    pub from: Timestamp,
    /// `measured_at` until here, excluded.
    pub until: Timestamp,
    /// In which order.
    pub order: Order,
    /// Go on after this; `None` for the first page.
    pub after: Option<Cursor>,
    /// Most records, 1 to [`MAX_PAGE`].
    pub limit: usize,
}

impl Query {
    /// A first page of everything that `filter` takes, oldest first.
    pub fn new(filter: Filter, limit: usize) -> Self {
        let (from, until) = (Timestamp::from_unix_ns(i64::MIN), Timestamp::from_unix_ns(i64::MAX));
        Self { filter, from, until, order: Order::default(), after: None, limit }
    }
}

/// An answer to a [`Query`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The records, in order.
    pub records: Vec<Record>,
    /// Where to go on; `None` when this was all.
    pub next: Option<Cursor>,
}

/// The state of the world at a moment: of everything that the filter takes, the newest record of each entity that was
/// measured at or before `at`. Ordered by `(kind, entity)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// Which records.
    pub filter: Filter,
    /// The moment; the present for "now".
    pub at: Timestamp,
    /// Records measured longer ago than this say nothing of `at`, milliseconds.
    pub look_back_ms: i64,
    /// Most entities, 1 to [`MAX_PAGE`].
    pub limit: usize,
}
