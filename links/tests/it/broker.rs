//! The embedded broker: everything through it, stopping it, its limits.

use crate::support::*;
use masa_links::{BrokerSettings, LinkError, LinkName, LinkState, Links, LinksSettings, MessageKind, Secret};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_gets_every_kind_through_the_embedded_broker() {
    let (links, port) = with_embedded_broker().await;
    let mut reader = mqtt_reader(port, Some("data-room"));
    wait_for(links.status(), LinkName::Mqtt, LinkState::Up).await;
    wait_for(reader.status(), LinkName::Mqtt, LinkState::Up).await;
    // A DENM is not lost even if the subscription comes later; once it has arrived the subscriptions stand.
    links.publish(message(MessageKind::Denm, 1)).unwrap();
    let denm = receive(&mut reader, MessageKind::Denm, 1).await.remove(0);
    assert_eq!(denm.uper, "uper 4001-denm-1");
    assert_eq!((denm.site.as_str(), denm.station, denm.quadkey.as_str()), ("test", 4001, "120210233"));
    assert_eq!(denm.header.unwrap().id, "4001-denm-1");
    for kind in [MessageKind::Cam, MessageKind::Cpm] {
        links.publish(message(kind, 1)).unwrap();
        let received = receive(&mut reader, kind, 1).await.remove(0);
        assert_eq!(received.uper, format!("uper 4001-{}-1", kind.name()));
    }
    let report = links.shutdown(Duration::from_secs(10)).await;
    assert_eq!((report.owed, report.unfinished), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_broker_frees_its_port() {
    let (links, port) = with_embedded_broker().await;
    wait_for(links.status(), LinkName::Mqtt, LinkState::Up).await;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    assert!(TcpStream::connect(address).is_ok());
    links.shutdown(Duration::from_secs(10)).await;
    assert!(TcpStream::connect(address).is_err());
    let settings = LinksSettings {
        broker: Some(BrokerSettings { listen: address, ..BrokerSettings::default() }),
        ..LinksSettings::default()
    };
    let again = Links::start(settings, station()).await.unwrap();
    wait_for(again.status(), LinkName::Mqtt, LinkState::Up).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_an_error_that_names_it() {
    let (_links, port) = with_embedded_broker().await;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let settings = LinksSettings {
        broker: Some(BrokerSettings { listen, ..BrokerSettings::default() }),
        ..LinksSettings::default()
    };
    let error = Links::start(settings, station()).await.err().unwrap();
    assert!(matches!(error, LinkError::Broker { .. }) && error.to_string().contains(&port.to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_a_failure_in_words() {
    let broker =
        BrokerSettings { user: Some("node".into()), password: Some(Secret::new("right")), ..on_free_port().unwrap() };
    // A node of its own, whose link to its own broker has no password either.
    let links =
        Links::start(LinksSettings { broker: Some(broker), ..LinksSettings::default() }, station()).await.unwrap();
    let words = wait_for(links.status(), LinkName::Mqtt, LinkState::Failed).await;
    assert!(words.contains("BadUserNamePassword"), "{words}");
    let port = links.broker_address().unwrap().port();
    let mut right = mqtt_at(port);
    (right.user, right.password, right.client_id) = (Some("node".into()), Some(Secret::new("right")), Some("x".into()));
    let other = Links::start(LinksSettings { mqtt: Some(right), ..LinksSettings::default() }, station()).await.unwrap();
    wait_for(other.status(), LinkName::Mqtt, LinkState::Up).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_port_harms_nobody() {
    use std::io::Write;
    let (links, port) = with_embedded_broker().await;
    let mut garbage = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut reader = mqtt_reader(port, None);
    links.publish(message(MessageKind::Denm, 1)).unwrap();
    assert_eq!(seqs(&receive(&mut reader, MessageKind::Denm, 1).await), [1]);
}
