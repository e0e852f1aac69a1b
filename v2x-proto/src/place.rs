//! Where and when: what every message says of its place and time, each kind in its own field.

use crate::Message;
use crate::cdd::ReferencePosition;
use crate::dsrc::Position3D;
use crate::geo::Wgs84;
use crate::ivim::IviContainer;
use crate::time::Timestamp;

impl Message {
    /// Where a message says that it is of: its sender, its event, its first intersection, its zones, who asks. The altitude is
    /// 0 where it is not said. `None` for kinds and messages that do not say (SPATEM, SSEM, RTCMEM, POIM).
    pub fn position(&self) -> Option<Wgs84> {
        let of =
            |at: &ReferencePosition| Some(Wgs84 { lat_deg: at.latitude_deg?, lon_deg: at.longitude_deg?, alt_m: 0.0 });
        let of_3d = |at: &Position3D| Some(Wgs84 { lat_deg: at.latitude_deg?, lon_deg: at.longitude_deg?, alt_m: 0.0 });
        match self {
            Self::Cam(cam) => of(&cam.cam.cam_parameters.basic_container.reference_position),
            Self::Denm(denm) => of(&denm.denm.management.event_position),
            Self::Cpm(cpm) => of(&cpm.payload.management_container.reference_position),
            Self::Vam(vam) => of(&vam.vam.vam_parameters.basic_container.reference_position),
            Self::Mapem(mapem) => of_3d(&mapem.map.intersections.as_ref()?.first()?.ref_point),
            Self::Ivim(ivim) => ivim.ivi.optional.iter().flatten().find_map(|container| match container {
                IviContainer::Location(location) => of(&location.reference_position),
                _ => None,
            }),
            Self::Srem(srem) => of_3d(&srem.srm.requestor.position.as_ref()?.position),
            Self::Mcm(mcm) => of(&mcm.payload.basic_container.position),
            Self::Spatem(_) | Self::Ssem(_) | Self::Rtcmem(_) | Self::Poim(_) => None,
        }
    }

    /// When it was made, by its sender's clock, for one that arrived at about `now`. `None` for kinds that do not say.
    pub fn generated_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cam(cam) => Some(now.nearest_generation(cam.cam.generation_delta_time_ms)),
            Self::Vam(vam) => Some(now.nearest_generation(vam.vam.generation_delta_time_ms)),
            Self::Cpm(cpm) => Some(cpm.payload.management_container.reference_time.into()),
            Self::Denm(denm) => Some(denm.denm.management.reference_time.into()),
            Self::Mcm(mcm) => Some(mcm.payload.basic_container.generation_time.into()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(hex: &str) -> Message {
        let nibble = |c: char| c.to_digit(16).map(|d| d as u8).unwrap();
        let digits: Vec<u8> = hex.trim().chars().map(nibble).collect();
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        Message::decode(&bytes).unwrap()
    }

    #[test]
    fn what_is_somewhere_says_where() {
        for (hex, is_somewhere) in [
            (include_str!("../tests/samples/cam.hex"), true),
            (include_str!("../tests/samples/mapem.hex"), true),
            (include_str!("../tests/samples/ivim.hex"), true),
            (include_str!("../tests/samples/spatem.hex"), false),
            (include_str!("../tests/samples/ssem.hex"), false),
        ] {
            let message = sample(hex);
            let position = message.position();
            assert_eq!(position.is_some(), is_somewhere, "{message:?}");
            assert!(position.is_none_or(|at| at.lat_deg != 0.0 && at.lat_deg.abs() <= 90.0), "{position:?}");
        }
    }

    #[test]
    fn a_cam_is_of_the_instant_nearest_to_its_arrival() {
        let Message::Cam(mut cam) = sample(include_str!("../tests/samples/cam.hex")) else { unreachable!("a CAM") };
        let made = Timestamp::from_unix_ms(1_700_000_000_123);
        cam.cam.generation_delta_time_ms = made.generation_delta_time();
        let message = Message::Cam(cam);
        for late_ms in [-2_000, 0, 150, 30_000] {
            assert_eq!(message.generated_at(made.plus_ms(late_ms)), Some(made), "{late_ms} ms late");
        }
    }
}
