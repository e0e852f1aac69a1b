//! The peer: rasn with the types of c-its-parser.

use c_its_parser::standards::cam_1_4_1::cam_pdu_descriptions::CAM;
use c_its_parser::standards::cpm_2_1_1::cpm_originating_station_containers::{
    OriginatingRsuContainer, OriginatingVehicleContainer,
};
use c_its_parser::standards::cpm_2_1_1::cpm_pdu_descriptions::CollectivePerceptionMessage;
use c_its_parser::standards::cpm_2_1_1::cpm_perceived_object_container::PerceivedObjectContainer;
use c_its_parser::standards::cpm_2_1_1::cpm_perception_region_container::PerceptionRegionContainer;
use c_its_parser::standards::cpm_2_1_1::cpm_sensor_information_container::SensorInformationContainer;
use c_its_parser::standards::denm_1_3_1::denm_pdu_descriptions::DENM as DENM1;
use c_its_parser::standards::denm_2_2_1::denm_pdu_description::DENM as DENM2;
use rasn::types::Any;
use rasn::uper;

/// A message of the peer.
pub trait Peer: Sized {
    /// Decodes all of it.
    fn decode(bytes: &[u8]) -> Option<Self>;

    /// Encodes all of it.
    fn encode(&mut self) -> Option<Vec<u8>>;
}

macro_rules! peer {
    ($name:ident, $ty:ty) => {
        /// A message that one call handles.
        pub struct $name($ty);

        impl Peer for $name {
            fn decode(bytes: &[u8]) -> Option<Self> {
                uper::decode(bytes).ok().map(Self)
            }

            fn encode(&mut self) -> Option<Vec<u8>> {
                uper::encode(&self.0).ok()
            }
        }
    };
}

peer!(PeerCam, CAM);
peer!(PeerDenm1, DENM1);
peer!(PeerDenm2, DENM2);

/// The containers of a CPM, which the message has as undecoded content.
enum Container {
    Vehicle(OriginatingVehicleContainer),
    Rsu(OriginatingRsuContainer),
    Sensors(SensorInformationContainer),
    Regions(PerceptionRegionContainer),
    Objects(PerceivedObjectContainer),
}

/// A CPM with its containers decoded.
pub struct PeerCpm {
    message: CollectivePerceptionMessage,
    containers: Vec<Container>,
}

impl Peer for PeerCpm {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let message: CollectivePerceptionMessage = uper::decode(bytes).ok()?;
        let listed = &message.payload.cpm_containers.0.0;
        let mut containers = Vec::with_capacity(listed.len());
        for wrapped in listed {
            let content = wrapped.container_data.as_bytes();
            containers.push(match wrapped.container_id.0 {
                1 => Container::Vehicle(uper::decode(content).ok()?),
                2 => Container::Rsu(uper::decode(content).ok()?),
                3 => Container::Sensors(uper::decode(content).ok()?),
                4 => Container::Regions(uper::decode(content).ok()?),
                5 => Container::Objects(uper::decode(content).ok()?),
                _ => return None,
            });
        }
        Some(Self { message, containers })
    }

    fn encode(&mut self) -> Option<Vec<u8>> {
        for (wrapped, container) in self.message.payload.cpm_containers.0.0.iter_mut().zip(&self.containers) {
            let content = match container {
                Container::Vehicle(container) => uper::encode(container),
                Container::Rsu(container) => uper::encode(container),
                Container::Sensors(container) => uper::encode(container),
                Container::Regions(container) => uper::encode(container),
                Container::Objects(container) => uper::encode(container),
            };
            wrapped.container_data = Any::new(content.ok()?);
        }
        uper::encode(&self.message).ok()
    }
}
