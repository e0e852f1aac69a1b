//! The live stream over gRPC.

use super::Api;
use super::guard::{Access, admit};
use super::live::{Follower, Update};
use super::problem::Problem;
use super::query::{Parameters, Selection};
use super::tokens::Scope;
use crate::entity::{Entity, Form};
use proto::city_server::{City, CityServer};
use std::pin::Pin;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The interface, generated from `proto/masa/city/v1/city.proto`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used, reason = "generated")]
pub mod proto {
    tonic::include_proto!("masa.city.v1");
}

/// Largest request, bytes: a list of types.
const MAX_REQUEST_BYTES: usize = 16 << 10;
/// Updates that wait for a reader; one that is slower gets snapshots.
const WAITING: usize = 4;

/// Serves the live stream on `listener` until `stop` becomes true.
pub async fn serve_grpc(listener: TcpListener, api: Api, mut stop: watch::Receiver<bool>) {
    let service = CityServer::new(CityStream { api }).max_decoding_message_size(MAX_REQUEST_BYTES);
    let stopped = async move { super::stopped(&mut stop).await };
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let served = Server::builder().add_service(service).serve_with_incoming_shutdown(incoming, stopped);
    if let Err(error) = served.await {
        tracing::error!(%error, "the gRPC server ended");
    }
}

/// Streams the city.
struct CityStream {
    api: Api,
}

#[tonic::async_trait]
impl City for CityStream {
    type FollowStream = Pin<Box<dyn Stream<Item = Result<proto::Update, Status>> + Send>>;

    async fn follow(&self, request: Request<proto::FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let peer = request.remote_addr();
        let headers = request.metadata().clone().into_headers();
        let caller = admit(&self.api, Access::Needs(Scope::ReadTraffic), &headers, peer).map_err(status)?;
        // `admit` gives a caller for every access that needs a scope.
        let caller = caller.ok_or_else(|| Status::unauthenticated("a valid token is needed"))?;
        let types = request.into_inner().types.join(",");
        let types = url::form_urlencoded::Serializer::new(String::new()).append_pair("type", &types).finish();
        let query = if types == "type=" { String::new() } else { types };
        let selection = Parameters::parse(&query)
            .and_then(|mut parameters| Selection::take(&mut parameters, &caller))
            .map_err(status)?;
        let mut follower = Follower::new(&self.api, caller, selection).map_err(status)?;
        let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
        tokio::spawn(async move {
            while let Some(update) = follower.next().await {
                if sender.send(Ok(wire(&update))).await.is_err() {
                    break;
                }
            }
            follower.end().await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

fn status(problem: Problem) -> Status {
    let words = problem.detail();
    match problem {
        Problem::Unauthorized => Status::unauthenticated(words),
        Problem::Forbidden(_) => Status::permission_denied(words),
        Problem::NotFound(_) => Status::not_found(words),
        Problem::TooMany(_) | Problem::TooComplex(_) => Status::resource_exhausted(words),
        Problem::Unavailable(_) => Status::unavailable(words),
        _ => Status::invalid_argument(words),
    }
}

fn wire(update: &Update) -> proto::Update {
    let kind = if update.is_snapshot { proto::update::Kind::Snapshot } else { proto::update::Kind::Update };
    let entity = |entity: &Arc<Entity>| {
        let at = entity.geometry.anchor();
        proto::Entity {
            id: entity.id.clone(),
            r#type: entity.kind.name().to_owned(),
            longitude_deg: at.lon_deg,
            latitude_deg: at.lat_deg,
            observed_at_ns: entity.observed_at.unix_ns(),
            valid_until_ns: entity.valid_until.unix_ns(),
            json: entity.to_json(Form::KeyValues, &[]).to_string(),
        }
    };
    proto::Update {
        kind: kind.into(),
        at_ns: update.at.unix_ns(),
        entities: update.entities.iter().map(entity).collect(),
        gone: update.gone.clone(),
    }
}
