//! Scans of radars and lists of objects as they are recorded.

use super::schema::{instant, proto};
use crate::event::{ListedObject, ObjectList, RadarScan, RadarTarget};

impl From<&RadarScan> for proto::RadarScan {
    fn from(scan: &RadarScan) -> Self {
        let target = |target: &RadarTarget| proto::RadarTarget {
            range_m: target.range_m,
            azimuth_rad: target.azimuth_rad,
            radial_mps: target.radial_mps,
            rcs_dbsm: target.rcs_dbsm,
        };
        Self {
            scan: scan.scan,
            captured_at_ns: scan.captured_at.unix_ns(),
            targets: scan.targets.iter().map(target).collect(),
        }
    }
}

impl From<proto::RadarScan> for RadarScan {
    fn from(scan: proto::RadarScan) -> Self {
        let target = |target: proto::RadarTarget| RadarTarget {
            range_m: target.range_m,
            azimuth_rad: target.azimuth_rad,
            radial_mps: target.radial_mps,
            rcs_dbsm: target.rcs_dbsm,
        };
        Self {
            scan: scan.scan,
            captured_at: instant(scan.captured_at_ns),
            targets: scan.targets.into_iter().map(target).collect(),
        }
    }
}

impl From<&ObjectList> for proto::ObjectList {
    fn from(list: &ObjectList) -> Self {
        let object = |object: &ListedObject| proto::ListedObject {
            x_m: object.position_m[0],
            y_m: object.position_m[1],
            size_m: object.size_m.map(Vec::from).unwrap_or_default(),
            yaw_rad: object.yaw_rad,
            velocity_mps: object.velocity_mps.map(Vec::from).unwrap_or_default(),
            points: object.points,
        };
        Self {
            scan: list.scan,
            captured_at_ns: list.captured_at.unix_ns(),
            objects: list.objects.iter().map(object).collect(),
        }
    }
}

impl From<proto::ObjectList> for ObjectList {
    fn from(list: proto::ObjectList) -> Self {
        let object = |object: proto::ListedObject| ListedObject {
            position_m: [object.x_m, object.y_m],
            size_m: object.size_m.try_into().ok(),
            yaw_rad: object.yaw_rad,
            velocity_mps: object.velocity_mps.try_into().ok(),
            points: object.points,
        };
        Self {
            scan: list.scan,
            captured_at: instant(list.captured_at_ns),
            objects: list.objects.into_iter().map(object).collect(),
        }
    }
}
