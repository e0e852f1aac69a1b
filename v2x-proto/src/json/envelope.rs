//! What surrounds a message in its-client's JSON, and the few forms that differ from the message's own structure.

use crate::Message;
use crate::cam::{Cam, CamParameters, CamPayload};
use crate::cdd::codec::Int;
use crate::cdd::{ItsPduHeader, MessageId, StationId};
use crate::cpm::{Cpm, CpmPayload};
use crate::denm::{Denm, DenmPayload};
use crate::ivim::{IviStructure, Ivim};
use crate::jer::Jer;
use crate::json::dsrc::{content_of, image_of};
use crate::json::extension::{extensions_from_image, extensions_to_image};
use crate::json::{Image, ImageError, Naming, members, number, required};
use crate::mapem::{MapData, Mapem};
use crate::mcm::{Mcm, McmPayload};
use crate::poim::{self, Poim};
use crate::rtcmem::{RtcmCorrections, Rtcmem};
use crate::spatem::{Spat, Spatem};
use crate::srem::{SignalRequestMessage, Srem};
use crate::ssem::{SignalStatusMessage, Ssem};
use crate::time::Timestamp;
use crate::vam::{Vam, VamParameters, VruAwareness};
use serde_json::{Map, json};

/// What surrounds a message over MQTT.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Identifier of the publisher, such as `com_masa_4711`.
    pub source_uuid: String,
    /// When the JSON was published; milliseconds on the wire.
    pub timestamp: Timestamp,
}

/// A JSON value that is not the image of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message_type}{path}: {reason}")]
pub struct JsonError {
    /// `message_type` of the envelope, `json` where that is not known.
    pub message_type: &'static str,
    /// Path of the member in the JSON, such as `.message.basic_container.station_type`.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

const CAM_SCHEMA: &str = "2.4.0";
const DENM_SCHEMA: &str = "2.3.0";
const CPM_SCHEMA: &str = "2.1.1";
const POI_SCHEMA: &str = "2.0.0";
/// Ours: its-client has no schema for IVIM.
const IVIM_IMAGE: &str = "1.0.0";
/// Ours: its-client's schema follows another draft.
const MCM_IMAGE: &str = "1.0.0";
const SPATEM_SCHEMA: &str = "2.0.0";
const MAPEM_SCHEMA: &str = "2.0.0";
const SREM_SCHEMA: &str = "2.0.1";
const SSEM_SCHEMA: &str = "2.0.1";
/// Ours: its-client has no schema for RTCMEM.
const RTCMEM_IMAGE: &str = "1.0.0";
/// Ours: its-client has no schema for VAM.
const VAM_IMAGE: &str = "1.0.0";

/// The JSON image of a message.
pub fn to_json(message: &Message, envelope: &Envelope) -> Jer {
    let (message_type, version, mut image, header) = match message {
        Message::Cam(cam) => ("cam", CAM_SCHEMA, cam_image(cam), &cam.header),
        Message::Denm(denm) => ("denm", DENM_SCHEMA, denm_image(denm), &denm.header),
        Message::Cpm(cpm) => ("cpm", CPM_SCHEMA, cpm_image(cpm), &cpm.header),
        Message::Ivim(ivim) => ("ivim", IVIM_IMAGE, IviStructure::to_jer(&ivim.ivi, Naming::Cam), &ivim.header),
        Message::Mcm(mcm) => ("mcm", MCM_IMAGE, McmPayload::to_jer(&mcm.payload, Naming::Cam), &mcm.header),
        Message::Poim(poim) => ("poi", POI_SCHEMA, poim::to_image(&poim.payload), &poim.header),
        Message::Vam(vam) => ("vam", VAM_IMAGE, vam_image(vam), &vam.header),
        Message::Spatem(spatem) => {
            ("spatem", SPATEM_SCHEMA, image_of::<Spat>(&spatem.spat, Naming::Dsrc), &spatem.header)
        }
        Message::Srem(srem) => {
            ("srem", SREM_SCHEMA, image_of::<SignalRequestMessage>(&srem.srm, Naming::Dsrc), &srem.header)
        }
        Message::Ssem(ssem) => {
            ("ssem", SSEM_SCHEMA, image_of::<SignalStatusMessage>(&ssem.ssm, Naming::Dsrc), &ssem.header)
        }
        Message::Rtcmem(rtcmem) => {
            ("rtcmem", RTCMEM_IMAGE, image_of::<RtcmCorrections>(&rtcmem.rtcmc, Naming::Dsrc), &rtcmem.header)
        }
        Message::Mapem(mapem) => ("mapem", MAPEM_SCHEMA, image_of::<MapData>(&mapem.map, Naming::Mapem), &mapem.header),
    };
    image["protocol_version"] = header.protocol_version.into();
    image["station_id"] = header.station_id.0.into();
    if let Some(extensions) = extensions_to_image(message.unknown_extensions()) {
        image["unknown_extensions"] = extensions;
    }
    let mut json = json!({
        "message_type": message_type,
        "version": version,
        "source_uuid": envelope.source_uuid,
        "timestamp": envelope.timestamp.unix_ms(),
        "message": image,
    });
    if matches!(message, Message::Spatem(_) | Message::Mapem(_)) {
        json["origin"] = "self".into();
    }
    if message_type == "poi" {
        json["message_format"] = "json/raw".into();
    }
    json
}

/// The message of a JSON image, with what surrounded it.
///
/// # Errors
/// The first member that is missing or wrong. Members that are not known are ignored.
pub fn from_json(json: &Jer) -> Result<(Envelope, Message), JsonError> {
    let message_type = match json["message_type"].as_str() {
        Some("cam") => "cam",
        Some("denm") => "denm",
        Some("cpm") => "cpm",
        Some("ivim") => "ivim",
        Some("mcm") => "mcm",
        Some("poi") => "poi",
        Some("vam") => "vam",
        Some("spatem") => "spatem",
        Some("mapem") => "mapem",
        Some("srem") => "srem",
        Some("ssem") => "ssem",
        Some("rtcmem") => "rtcmem",
        _ => {
            let reason = format!("message_type is {}, no kind that is known", json["message_type"]);
            return Err(JsonError { message_type: "json", path: ".message_type".into(), reason });
        }
    };
    read(json, message_type).map_err(|error| JsonError { message_type, path: error.path, reason: error.reason })
}

fn read(json: &Jer, message_type: &'static str) -> Result<(Envelope, Message), ImageError> {
    let source_uuid =
        json["source_uuid"].as_str().ok_or_else(|| ImageError::new("missing").in_member("source_uuid"))?;
    let timestamp = number(&json["timestamp"], 0, i64::MAX / 1_000_000).map_err(|e| e.in_member("timestamp"))?;
    let message = read_message(&json["message"], message_type).map_err(|error| error.in_member("message"))?;
    Ok((Envelope { source_uuid: source_uuid.to_owned(), timestamp: Timestamp::from_unix_ms(timestamp) }, message))
}

fn read_message(image: &Jer, message_type: &'static str) -> Result<Message, ImageError> {
    let unknown_extensions = extensions_from_image(image)?;
    Ok(match message_type {
        "cam" => {
            let generation_delta_time_ms =
                required::<Int<u16, 0, 65_535>>(members(image)?, "CamPayload", "generationDeltaTime")?;
            let cam_parameters = CamParameters::from_image(image)?;
            let cam = CamPayload { generation_delta_time_ms, cam_parameters };
            Cam { header: header(image, MessageId::Cam)?, cam, unknown_extensions }.into()
        }
        "denm" => {
            let denm = DenmPayload::from_image(&denm_structure(image.clone()))?;
            Denm { header: header(image, MessageId::Denm)?, denm, unknown_extensions }.into()
        }
        "ivim" => {
            let ivi = IviStructure::from_image(image)?;
            Ivim { header: header(image, MessageId::Ivim)?, ivi, unknown_extensions }.into()
        }
        "mcm" => {
            let payload = McmPayload::from_image(image)?;
            Mcm { header: header(image, MessageId::Mcm)?, payload, unknown_extensions }.into()
        }
        "poi" => {
            let payload = poim::from_image(image)?;
            Poim { header: header(image, MessageId::Poim)?, payload, unknown_extensions }.into()
        }
        "vam" => {
            let generation_delta_time_ms =
                required::<Int<u16, 0, 65_535>>(members(image)?, "VruAwareness", "generationDeltaTime")?;
            let vam_parameters = VamParameters::from_image(image)?;
            let vam = VruAwareness { generation_delta_time_ms, vam_parameters };
            Vam { header: header(image, MessageId::Vam)?, vam, unknown_extensions }.into()
        }
        "spatem" => {
            let spat = content_of::<Spat>(image)?;
            Spatem { header: header(image, MessageId::Spatem)?, spat, unknown_extensions }.into()
        }
        "mapem" => {
            let map = content_of::<MapData>(image)?;
            Mapem { header: header(image, MessageId::Mapem)?, map, unknown_extensions }.into()
        }
        "srem" => {
            let srm = content_of::<SignalRequestMessage>(image)?;
            Srem { header: header(image, MessageId::Srem)?, srm, unknown_extensions }.into()
        }
        "ssem" => {
            let ssm = content_of::<SignalStatusMessage>(image)?;
            Ssem { header: header(image, MessageId::Ssem)?, ssm, unknown_extensions }.into()
        }
        "rtcmem" => {
            let rtcmc = content_of::<RtcmCorrections>(image)?;
            Rtcmem { header: header(image, MessageId::Rtcmem)?, rtcmc, unknown_extensions }.into()
        }
        _ => {
            let payload = CpmPayload::from_image(&cpm_structure(image.clone())?)?;
            Cpm { header: header(image, MessageId::Cpm)?, payload, unknown_extensions }.into()
        }
    })
}

fn header(image: &Jer, message_id: MessageId) -> Result<ItsPduHeader, ImageError> {
    let members = members(image)?;
    let protocol_version = required::<Int<u8, 0, 255>>(members, "ItsPduHeader", "protocolVersion")?;
    let station_id = required::<Int<u32, 0, 4_294_967_295>>(members, "ItsPduHeader", "stationId")?;
    Ok(ItsPduHeader { protocol_version, message_id, station_id: StationId(station_id) })
}

/// The containers stand beside the generation time.
fn cam_image(cam: &Cam) -> Jer {
    let mut image = CamParameters::to_jer(&cam.cam.cam_parameters, Naming::Cam);
    image["generation_delta_time"] = cam.cam.generation_delta_time_ms.into();
    image
}

/// As in CAM.
fn vam_image(vam: &Vam) -> Jer {
    let mut image = VamParameters::to_jer(&vam.vam.vam_parameters, Naming::Cam);
    image["generation_delta_time"] = vam.vam.generation_delta_time_ms.into();
    image
}

const ZONES: &str = "/location/detection_zones_to_event_position";
const CLOSED_LANES: &str = "/alacarte/road_works/closed_lanes";

/// Each trace is an object with a `path`; the closed lanes are a number.
fn denm_image(denm: &Denm) -> Jer {
    let mut image = DenmPayload::to_jer(&denm.denm, Naming::Denm);
    for trace in image.pointer_mut(ZONES).and_then(Jer::as_array_mut).into_iter().flatten() {
        *trace = json!({ "path": trace.take() });
    }
    if let Some(lanes) = image.pointer_mut(CLOSED_LANES).and_then(Jer::as_object_mut)
        && let Some(status) = lanes.remove("driving_lane_status")
    {
        let closed = (1..=13).filter(|lane| status[format!("lane_{lane}_closed")] == true);
        lanes.insert("driving_lane_status".into(), closed.fold(0, |mask, lane| mask | 1 << (lane - 1)).into());
        lanes.insert("driving_lane_count".into(), status["lanes"].clone());
    }
    image
}

/// Takes [`denm_image`]'s changes back.
fn denm_structure(mut image: Jer) -> Jer {
    for trace in image.pointer_mut(ZONES).and_then(Jer::as_array_mut).into_iter().flatten() {
        *trace = trace["path"].take();
    }
    if let Some(lanes) = image.pointer_mut(CLOSED_LANES).and_then(Jer::as_object_mut)
        && let Some(mask) = lanes.get("driving_lane_status").and_then(Jer::as_u64)
    {
        let closed = |lane: u8| (format!("lane_{lane}_closed"), Jer::from(mask >> (lane - 1) & 1 == 1));
        let mut status: Map<_, _> = (1..=13).map(closed).collect();
        status.insert("lanes".into(), lanes.get("driving_lane_count").cloned().unwrap_or(Jer::Null));
        lanes.insert("driving_lane_status".into(), status.into());
    }
    image
}

/// The containers stand beside the management container, objects in a list of their own.
fn cpm_image(cpm: &Cpm) -> Jer {
    let mut image = CpmPayload::to_jer(&cpm.payload, Naming::Cpm);
    let containers = image["cpm_containers"].take();
    let image_members = image.as_object_mut().expect("a sequence is an object");
    image_members.remove("cpm_containers");
    for (name, mut container) in containers.as_object().cloned().unwrap_or_default() {
        match name.as_str() {
            "originating_rsu_container" => {
                let reference = container.get("map_reference").cloned();
                container = reference.into_iter().collect();
            }
            "perceived_object_container" => {
                image_members
                    .insert("number_of_perceived_objects".into(), container["number_of_perceived_objects"].take());
                container = container["perceived_objects"].take();
                each_matrix(&mut container, |column| json!([column]));
            }
            _ => {}
        }
        image_members.insert(name, container);
    }
    image
}

/// Takes [`cpm_image`]'s changes back.
fn cpm_structure(mut image: Jer) -> Result<Jer, ImageError> {
    if let Some(objects) = image.get_mut("perceived_object_container").map(Jer::take) {
        let mut objects = objects;
        each_matrix(&mut objects, |mut column| column.get_mut(0).map(Jer::take).unwrap_or_default());
        let listed = objects.as_array().map_or(0, Vec::len);
        let number = image.get("number_of_perceived_objects").cloned().unwrap_or_else(|| listed.into());
        image["perceived_object_container"] =
            json!({ "number_of_perceived_objects": number, "perceived_objects": objects });
    }
    if let Some(references) = image.get_mut("originating_rsu_container") {
        let reference = references.get_mut(0).map(Jer::take);
        *references = json!({ "map_reference": reference });
    }
    members(&image)?;
    let management = image.get_mut("management_container").map_or(Jer::Null, Jer::take);
    Ok(json!({ "management_container": management, "cpm_containers": image }))
}

/// Changes each column of each correlation matrix of `objects`; the schema has one level more than the message.
fn each_matrix(objects: &mut Jer, change: impl Fn(Jer) -> Jer) {
    let objects = objects.as_array_mut().into_iter().flatten();
    let matrices = objects.filter_map(|object| object.get_mut("lower_triangular_correlation_matrices")?.as_array_mut());
    for columns in matrices.flatten().filter_map(|matrix| matrix.get_mut("matrix")?.as_array_mut()) {
        for column in columns {
            *column = change(column.take());
        }
    }
}
