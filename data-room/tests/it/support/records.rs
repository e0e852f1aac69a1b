//! Records for tests.

use bytes::Bytes;
use masa_data_room::{Kind, Record, Sensitivity, Source, Tenant};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;

/// 2026-05-01T08:00:00Z, milliseconds of Unix time.
pub(crate) const MORNING_MS: i64 = 1_777_622_400_000;

/// Milliseconds after [`MORNING_MS`].
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(MORNING_MS + ms)
}

/// A DENM of station 1, about an event of its own.
pub(crate) fn denm(sequence: u64, measured_ms: i64) -> Record {
    Record {
        arrival: 0,
        tenant: Tenant::default(),
        source: Source { site: "modena".into(), station: 1 },
        kind: Kind::V2x(MessageKind::Denm),
        epoch: 1_700_000_000_000,
        sequence,
        message_id: format!("1-denm-{sequence}"),
        entity: format!("1-{sequence}"),
        measured_at: at(measured_ms),
        received_at: at(measured_ms + 20),
        position: Some(Wgs84 { lat_deg: 44.6555, lon_deg: 10.9343 + 1e-4 * sequence as f64, alt_m: 34.0 }),
        sensitivity: Sensitivity::Open,
        topic: "masa/modena/1/v2x/denm/120222110230".into(),
        payload: Bytes::from(format!("denm {sequence}")),
    }
}

/// A CAM of a vehicle: personal.
pub(crate) fn cam(station: u32, sequence: u64, measured_ms: i64) -> Record {
    let denm = denm(sequence, measured_ms);
    Record {
        source: Source { station, ..denm.source },
        kind: Kind::V2x(MessageKind::Cam),
        message_id: format!("{station}-cam-{sequence}"),
        entity: station.to_string(),
        sensitivity: Sensitivity::Personal,
        topic: format!("masa/modena/{station}/v2x/cam/120222110230"),
        payload: Bytes::from(format!("cam {station} {sequence}")),
        ..denm
    }
}
