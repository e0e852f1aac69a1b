//! City services on a real store: what comes in as messages comes out as entities, once, whenever they begin again.

#![allow(clippy::unwrap_used)]

use crate::city::{HERE, Schemas, record, tenant};
use masa_data_room::entity::{Form, Projection};
use masa_data_room::services::Follower;
use masa_data_room::services::site::ServiceSite;
use masa_data_room::store::embedded::{EmbeddedSettings, EmbeddedStore};
use masa_data_room::store::{Filter, Policies, Query};
use masa_data_room::{Kind, Record, Room, Store};
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::cpm::{Cpm, CpmContainers, CpmPayload, ManagementContainer, PerceivedObjectContainer};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{List, MessageKind};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A full hour, so that minutes are easily told.
const BEGIN: Timestamp = Timestamp::from_unix_ms(1_795_356_000_000 / 3_600_000 * 3_600_000);

/// A road to the east with a gate at either end, a bay beside it and a pavement.
fn site() -> ServiceSite {
    let text = format!(
        "site = 'junction-1'\norigin = {{ latitude-deg = {}, longitude-deg = {} }}\n\
         gate = [{{ id = 'west', line-m = [[-30, -2], [-30, 2]], arm = 'west' }},\
                 {{ id = 'east', line-m = [[30, 2], [30, -2]], arm = 'east' }}]\n\
         approach = [{{ id = 'lane', way-m = [[30, 0], [-30, 0]] }}]\n\
         bay = [{{ id = 'b1', group = 'north', polygon-m = [[0, 3], [6, 3], [6, 6], [0, 6]] }}]\n\
         crowd-zone = [{{ id = 'pavement', polygon-m = [[-20, -8], [20, -8], [20, -4], [-20, -4]] }}]",
        HERE.lat_deg, HERE.lon_deg
    );
    toml::from_str(&text).unwrap()
}

fn object(id: u16, place: [f64; 2], speed_mps: f32, class: ObjectClass) -> PerceivedObject {
    let coordinate =
        |m: f64| CartesianCoordinateWithConfidence { value_m: Reading::Value(m as f32), ..Default::default() };
    PerceivedObject {
        object_id: Some(id),
        position: CartesianPosition3dWithConfidence { x: coordinate(place[0]), y: coordinate(place[1]), z: None },
        velocity: Some(Velocity3d::Polar(VelocityPolarWithZ {
            velocity_magnitude: Speed { value_mps: Reading::of(speed_mps), confidence_mps: None },
            velocity_direction: CartesianAngle { value_deg: Some(0.0), confidence_deg: None },
            z_velocity: None,
        })),
        classification: List::try_from_iter([ObjectClassWithConfidence {
            object_class: class,
            confidence_percent: Some(90),
        }]),
        ..PerceivedObject::default()
    }
}

/// Twice a second a CPM: a car comes every ten seconds, one stands in the bay from second 40 on, three people walk about;
/// every minute a reading of each kind.
fn town(seconds: i64) -> Vec<Record> {
    let car = ObjectClass::Vehicle(StationType::PassengerCar);
    let person = ObjectClass::Vru(VruProfileAndSubprofile::Pedestrian(VruSubProfilePedestrian::OrdinaryPedestrian));
    let mut records = Vec::new();
    for half in 0..seconds * 2 {
        let (s, at) = (half as f64 / 2.0, BEGIN.plus_ms(half * 500));
        let driving = (0..seconds / 10).filter_map(|number| {
            let e_m = -60.0 + 12.0 * (s - number as f64 * 10.0);
            (e_m.abs() <= 60.0).then(|| object(number as u16, [e_m, 0.0], 12.0, car.clone()))
        });
        let parked = (s >= 40.0).then(|| object(61_717, [3.0, 4.5], 0.0, car.clone()));
        let walking = [0.0, 0.8, 1.6]
            .map(|n_m| object(61_501 + (n_m * 10.0) as u16, [(s % 30.0) - 15.0, n_m - 6.0], 1.0, person.clone()));
        let objects: Vec<_> = driving.chain(parked).chain(walking).collect();
        let container = PerceivedObjectContainer {
            number_of_perceived_objects: objects.len() as u8,
            perceived_objects: List::try_from_iter(objects).unwrap(),
            ..PerceivedObjectContainer::default()
        };
        let reference_position = ReferencePosition {
            latitude_deg: Some(HERE.lat_deg),
            longitude_deg: Some(HERE.lon_deg),
            ..ReferencePosition::default()
        };
        let management_container =
            ManagementContainer { reference_time: at.into(), reference_position, ..ManagementContainer::default() };
        let cpm_containers = CpmContainers { perceived_object: Some(container), ..CpmContainers::default() };
        let payload = CpmPayload { management_container, cpm_containers, ..CpmPayload::default() };
        let mut bytes = vec![0; 4_096];
        let length = Cpm::new(StationId(7), payload).encode(&mut bytes).unwrap();
        bytes.truncate(length);
        records.push(record(Kind::V2x(MessageKind::Cpm), "7", bytes, at));
        if half % 120 == 0 {
            let life = (half / 120 % 2) as f64;
            let values = [("no2", 40.0), ("pm25", 10.0), ("noise", 60.0), ("air-temperature", 20.0)];
            for (number, (quantity, value)) in (1..).zip(values) {
                let reading = format!(r#"{{"sensor":"mast","quantity":"{quantity}","value":{}}}"#, value + life);
                let at = at.plus_ms(number);
                records.push(record(Kind::Observation, &format!("mast-{quantity}"), reading, at));
            }
        }
    }
    records
}

fn room(folder: &Path) -> Room {
    let settings = EmbeddedSettings { folder: folder.to_owned(), ..EmbeddedSettings::default() };
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&settings).unwrap());
    Room::new(store)
}

/// Stores records and lets a follower have them, as the feed would.
async fn live(room: &Room, follower: &mut Follower, records: &[Record]) {
    for batch in records.chunks(200) {
        for record in room.store.append(batch.to_vec()).await.unwrap().stored {
            follower.take(&record, record.received_at).await.unwrap();
        }
    }
}

async fn findings(room: &Room) -> Vec<Record> {
    let filter = Filter { kinds: vec![Kind::Service], ..Filter::of(tenant()) };
    room.store.query(Query::new(filter, 10_000)).await.unwrap().records
}

/// What a finding says, without when it was stored.
fn said(record: &Record) -> (u64, String, String) {
    let mut body = record.body().unwrap();
    body.as_object_mut().unwrap().remove("dataProvider");
    (record.sequence, record.entity.clone(), body.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_messages_come_to_is_found_once_however_often_services_begin_again() {
    let records = town(400);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let whole = room(folders[0].path());
    let mut follower = Follower::new(whole.clone(), tenant(), site()).unwrap();
    live(&whole, &mut follower, &records).await;
    let whole = findings(&whole).await;

    let broken = room(folders[1].path());
    let mut done = 0;
    for until in [333, 600, records.len()] {
        // Each time a new one that knows nothing; the last records of the time before it has not seen.
        let mut follower = Follower::new(broken.clone(), tenant(), site()).unwrap();
        follower.resume(records[done].received_at).await.unwrap();
        live(&broken, &mut follower, &records[done..until]).await;
        done = until;
    }
    let broken = findings(&broken).await;
    let [whole, broken] = [&whole, &broken].map(|all| all.iter().map(said).collect::<Vec<_>>());
    assert!(whole.len() > 60, "{}", whole.len());
    for (one, other) in whole.iter().zip(&broken) {
        assert_eq!(one, other);
    }
    assert_eq!(whole.len(), broken.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_wait_for_a_store_that_has_no_room() {
    let records: Vec<_> = (1..).zip(town(200)).map(|(arrival, record)| Record { arrival, ..record }).collect();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let settings = EmbeddedSettings {
        folder: folders[0].path().to_owned(),
        max_bytes: Some(1_000_000),
        ..EmbeddedSettings::default()
    };
    let full = Room::new(Arc::new(EmbeddedStore::open(&settings).unwrap()) as Arc<dyn Store>);
    // Down to the last byte: large records first.
    let mut number = 0;
    for bytes in [20_000, 1_000, 10] {
        loop {
            number += 1;
            let mut filler = record(Kind::V2x(MessageKind::Denm), "7-1", vec![0; bytes], BEGIN);
            filler.sequence = number;
            if full.store.append(vec![filler]).await.is_err() {
                break;
            }
        }
    }
    let free = room(folders[1].path());
    let mut followers = [&full, &free].map(|room| Follower::new(room.clone(), tenant(), site()).unwrap());
    let mut refused = 0;
    for record in &records {
        refused += u32::from(followers[0].take(record, record.received_at).await.is_err());
        followers[1].take(record, record.received_at).await.unwrap();
    }
    assert!(refused > 0 && findings(&full).await.is_empty(), "{refused} refused");

    let later = records.last().unwrap().received_at.plus_ms(10 * 3_600_000);
    full.store.sweep(&Policies::default(), later).await.unwrap();
    let end = records.last().unwrap().received_at;
    for follower in &mut followers {
        follower.tick(end).await.unwrap();
    }
    let [full, free] =
        [findings(&full).await, findings(&free).await].map(|all| all.iter().map(said).collect::<Vec<_>>());
    assert!(free.len() > 20, "{}", free.len());
    assert_eq!(full, free);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_are_entities_of_the_models() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path());
    let mut follower = Follower::new(room.clone(), tenant(), site()).unwrap();
    let records = town(400);
    live(&room, &mut follower, &records).await;
    // The sensors' hour.
    let mut minutes: Vec<Record> = Vec::new();
    for minute in 7..65 {
        for (number, (quantity, value)) in (1..).zip([("no2", 40.0), ("pm25", 10.0), ("noise", 60.0)]) {
            let value = value + f64::from(minute % 2);
            let reading = format!(r#"{{"sensor":"mast","quantity":"{quantity}","value":{value}}}"#);
            let at = BEGIN.plus_ms(i64::from(minute) * 60_000 + number);
            minutes.push(record(Kind::Observation, &format!("mast-{quantity}"), reading, at));
        }
    }
    live(&room, &mut follower, &minutes).await;
    let mut projection = Projection::default();
    let entities: Vec<_> = findings(&room).await.iter().flat_map(|record| projection.take(record)).collect();
    let image = |id: &str| {
        let found = entities.iter().find(|entity| entity.id.ends_with(id));
        found.unwrap_or_else(|| panic!("no {id}")).to_json(Form::KeyValues, &[])
    };
    let minute = image("west-forward-all-1min");
    assert_eq!((minute["intensity"].as_u64(), minute["averageVehicleSpeed"].as_f64()), (Some(6), Some(43.2)));
    let trip = image("west-to-east-car-5min");
    assert!((trip["travelTime"].as_f64().unwrap() - 5.0).abs() < 0.1, "{trip}");
    assert_eq!(trip["levelOfService"], "A");
    assert_eq!(image("pavement-1min")["peopleCount"].as_f64(), Some(3.0));
    assert!((image("pavement-1min")["meanNearestDistance"].as_f64().unwrap() - 0.8).abs() < 0.02);
    // Later, when no station is heard any more, nobody knows.
    let bay = entities.iter().filter(|entity| entity.id.ends_with("b1"));
    let states: Vec<_> = bay.map(|entity| entity.to_json(Form::KeyValues, &[])["status"].clone()).collect();
    assert!(states.contains(&"occupied".into()), "{states:?}");
    assert_eq!(states.last().unwrap(), "unknown");
    let air = image("AirQualityObserved:junction-1:0:7-mast-hour");
    assert_eq!(
        (air["airQualityLevel"].as_str(), air["airQualityIndexPollutant"].as_str()),
        (Some("moderate"), Some("no2"))
    );
    let forecast = image("west-forward-forecast");
    assert!(forecast["intensity"].as_f64().unwrap() > 0.0, "{forecast}");

    let Some(schemas) = Schemas::load("findings_are_entities_of_the_models") else { return };
    let mut validated: BTreeMap<&str, u32> = BTreeMap::new();
    for entity in &entities {
        let image = entity.to_json(Form::KeyValues, &[]);
        assert_eq!(schemas.complaint(entity.kind, &image), None, "{image:#}");
        *validated.entry(entity.kind.name()).or_default() += 1;
    }
    println!("validated: {validated:?}");
    for kind in [
        "TrafficFlowObserved",
        "CrowdFlowObserved",
        "ParkingSpot",
        "ParkingGroup",
        "AirQualityObserved",
        "NoiseLevelObserved",
    ] {
        assert!(validated.contains_key(kind), "no {kind}");
    }
}

/// No number of a road user leaves the services: what is published names places, never anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path());
    let mut follower = Follower::new(room.clone(), tenant(), site()).unwrap();
    live(&room, &mut follower, &town(130)).await;
    for finding in findings(&room).await {
        let body = finding.body().unwrap().to_string();
        for number in ["61717", "61501", "61509", "61517", "objectId"] {
            assert!(!body.contains(number), "{number} in {body}");
        }
    }
}

#[test]
fn every_site_in_deploy_can_be_used() {
    let sites = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/sites");
    let files = std::fs::read_dir(sites).unwrap().map(|site| site.unwrap().path().join("services.toml"));
    let files: Vec<_> = files.filter(|file| file.exists()).collect();
    assert!(!files.is_empty());
    for file in files {
        ServiceSite::load(&file).unwrap().check().unwrap();
    }
}
