//! `masa calibrate page`: a page on this machine to click points on a picture and on the site map, with residuals at once.
//!
//! In: a picture, the site file, points to begin with. Out: the calibration file, and the points beside it. Everything the page
//! needs is in this program: it works without any network. The mathematics is that of `masa calibrate fit`: the page sends
//! its points and draws what comes back. Listens on this machine only.

use super::fit::pose_words;
use super::lanes::borders_m;
use super::points::PointsFile;
use super::subject::{Subject, SubjectArguments};
use crate::terminal::stop_signal;
use anyhow::Context;
use axum::extract::Request as HttpRequest;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use clap::Args;
use masa_edge_node::perception::georeference::fit::{FittedPoint, FocalLength, PoseFit, SurveyedPoint, fit};
use masa_edge_node::perception::georeference::{Calibration, CameraModel, GroundReference, ReferencePoint};
use masa_edge_node::sources::camera::open_picture;
use masa_edge_node::world::site::ZoneKind;
use masa_v2x_proto::geo::Enu;
use masa_web::{Files, guard};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// Largest request body, bytes: a thousand points with their names.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// Distance between two points of a border that is drawn into the picture, metres.
const BORDER_STEP_M: f64 = 1.0;

const FILES: Files = Files(masa_web::assets!["index.html", "calibrate.css", "calibrate.js", "view.js"]);

/// Click points on a picture and on the site map, see residuals at once, save the calibration.
#[derive(Debug, Args)]
pub(super) struct PageCommand {
    /// A picture of the camera, JPEG or PNG.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Points to begin with.
    #[arg(long, value_name = "FILE")]
    points: Option<PathBuf>,
    #[command(flatten)]
    subject: SubjectArguments,
    /// Where the calibration is written; its points go beside it, with the ending `points.toml`.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Port on this machine; 0 takes a free one.
    #[arg(long, default_value_t = 8090)]
    port: u16,
}

/// What every handler sees.
struct Page {
    subject: Subject,
    ground_m: f64,
    picture: Vec<u8>,
    points: Vec<SurveyedPoint>,
    output: PathBuf,
}

/// A point as the page knows it.
#[derive(Debug, Serialize, Deserialize)]
struct PagePoint {
    name: String,
    pixel: [f64; 2],
    east_m: f64,
    north_m: f64,
    up_m: f64,
}

/// What the page asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    points: Vec<PagePoint>,
    fit_focal_length: bool,
}

/// What the page is told of a fit.
#[derive(Serialize)]
struct Answer {
    words: String,
    rms_px: f64,
    points: Vec<FittedPoint>,
    /// Borders of the site map as the camera shows them.
    borders_px: Vec<Vec<[f64; 2]>>,
    camera_m: [f64; 2],
    yaw_deg: f64,
}

impl PageCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let image = open_picture(&self.image)?;
        let subject = self.subject.read(Some([image.width, image.height]))?;
        let size = [image.width, image.height];
        let expected = subject.settings.image_size_px;
        anyhow::ensure!(size == expected, "the picture is {size:?} px, the camera's are {expected:?} px");
        let points = match &self.points {
            Some(path) => PointsFile::read(path)?.surveyed(&subject.frame),
            None => Vec::new(),
        };
        let page = Page {
            ground_m: self.subject.ground,
            picture: std::fs::read(&self.image).with_context(|| self.image.display().to_string())?,
            subject,
            points,
            output: self.output,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(serve(Arc::new(page), self.port))
    }
}

async fn serve(page: Arc<Page>, port: u16) -> anyhow::Result<()> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = tokio::net::TcpListener::bind(listen).await.with_context(|| listen.to_string())?;
    println!("http://{}/ (ends with Ctrl-C)", listener.local_addr()?);
    let router = Router::new()
        .route("/", get(|headers: HeaderMap| async move { FILES.answer("index.html", &headers) }))
        .route(
            "/static/{name}",
            get(|UrlPath(name): UrlPath<String>, headers: HeaderMap| async move { FILES.answer(&name, &headers) }),
        )
        .route("/api/subject", get(subject))
        .route("/api/image", get(picture))
        .route("/api/fit", post(fitted))
        .route("/api/save", post(saved))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(guarded))
        .with_state(page);
    let stopped = async {
        let _ = stop_signal().await;
    };
    Ok(axum::serve(listener, router).with_graceful_shutdown(stopped).await?)
}

/// The same rules as for every page, for a server that goes by its address only.
async fn guarded(request: HttpRequest, next: Next) -> Response {
    let mut response = match guard::refusal(request.headers(), request.version(), &[]) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    guard::secure(&mut response);
    response
}

async fn subject(State(page): State<Arc<Page>>) -> Response {
    #[derive(Serialize)]
    struct PageSubject<'a> {
        name: &'a str,
        image_size_px: [u32; 2],
        zones: Vec<(ZoneKind, &'a [[f64; 2]])>,
        borders_m: Vec<Vec<[f64; 2]>>,
        points: Vec<PagePoint>,
        fit_focal_length: bool,
        output: String,
    }
    let site = page.subject.site.as_ref();
    let point = |point: &SurveyedPoint| {
        let Enu { e_m, n_m, u_m } = point.position;
        PagePoint { name: point.name.clone(), pixel: point.pixel, east_m: e_m, north_m: n_m, up_m: u_m }
    };
    Json(PageSubject {
        name: &page.subject.name,
        image_size_px: page.subject.settings.image_size_px,
        zones: site.map_or_else(Vec::new, |s| s.zones.iter().map(|z| (z.kind, z.polygon_m.as_slice())).collect()),
        borders_m: site.map_or_else(Vec::new, borders_m),
        points: page.points.iter().map(point).collect(),
        fit_focal_length: page.subject.settings.focal_length == FocalLength::Fitted,
        output: page.output.display().to_string(),
    })
    .into_response()
}

async fn picture(State(page): State<Arc<Page>>) -> Response {
    let kind = if page.picture.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
    ([(header::CONTENT_TYPE, kind)], page.picture.clone()).into_response()
}

async fn fitted(State(page): State<Arc<Page>>, Json(request): Json<Request>) -> Response {
    match page.fit(&request) {
        Ok(found) => Json(page.answer(&found)).into_response(),
        Err(words) => (StatusCode::UNPROCESSABLE_ENTITY, words).into_response(),
    }
}

async fn saved(State(page): State<Arc<Page>>, Json(request): Json<Request>) -> Response {
    match page.fit(&request).and_then(|found| page.save(&found, &request)) {
        Ok(words) => words.into_response(),
        Err(words) => (StatusCode::UNPROCESSABLE_ENTITY, words).into_response(),
    }
}

impl Page {
    fn fit(&self, request: &Request) -> Result<PoseFit, String> {
        let surveyed = |point: &PagePoint| SurveyedPoint {
            name: point.name.clone(),
            pixel: point.pixel,
            position: Enu { e_m: point.east_m, n_m: point.north_m, u_m: point.up_m },
        };
        let points: Vec<_> = request.points.iter().map(surveyed).collect();
        let mut settings = self.subject.settings;
        settings.focal_length = if request.fit_focal_length { FocalLength::Fitted } else { FocalLength::Known };
        fit(&points, &settings).map_err(|error| error.to_string())
    }

    fn answer(&self, found: &PoseFit) -> Answer {
        let pose = found.model.pose();
        let [e, n, _] = pose.position_m;
        let borders = self.subject.site.as_ref().map_or_else(Vec::new, borders_m);
        Answer {
            words: pose_words(found),
            rms_px: found.rms_px,
            points: found.points.clone(),
            borders_px: borders.iter().flat_map(|border| shown(border, &found.model, self.ground_m)).collect(),
            camera_m: [e, n],
            yaw_deg: pose.yaw_deg,
        }
    }

    fn save(&self, found: &PoseFit, request: &Request) -> Result<String, String> {
        let points = request.points.iter().map(|point| ReferencePoint {
            name: Some(point.name.clone()),
            pixel: point.pixel,
            ground: GroundReference::Enu { east_m: point.east_m, north_m: point.north_m },
            up_m: point.up_m,
        });
        let points = toml::to_string(&PointsFile { points: points.collect() }).map_err(|error| error.to_string())?;
        let beside = self.output.with_extension("points.toml");
        let calibration = Calibration::new(&found.model, &found.covariance, self.ground_m).to_toml();
        for (path, text) in [(&self.output, calibration), (&beside, points)] {
            std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(format!("Saved: {} and {}", self.output.display(), beside.display()))
    }
}

/// The parts of a border that a camera shows, as lines of pixels.
fn shown(border: &[[f64; 2]], model: &CameraModel, ground_m: f64) -> Vec<Vec<[f64; 2]>> {
    let mut lines = vec![Vec::new()];
    for ends in border.windows(2) {
        let [[ae, an], [be, bn]] = [ends[0], ends[1]];
        let steps = ((be - ae).hypot(bn - an) / BORDER_STEP_M).ceil().clamp(1.0, 1000.0);
        for step in 0..=steps as u32 {
            let share = f64::from(step) / steps;
            let point = Enu { e_m: ae + (be - ae) * share, n_m: an + (bn - an) * share, u_m: ground_m };
            match (model.project(point), lines.last_mut()) {
                (Some(projected), Some(line)) => line.push(projected.pixel.into()),
                _ => lines.push(Vec::new()),
            }
        }
    }
    lines.retain(|line| line.len() > 1);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_from_outside_and_makes_no_markup_of_text() {
        assert_eq!(FILES.faults(), Vec::<String>::new());
    }

    #[test]
    fn a_border_is_drawn_where_the_camera_shows_it() {
        let pose = masa_edge_node::perception::georeference::CameraPose {
            position_m: [0.0, 0.0, 6.0],
            yaw_deg: 90.0,
            pitch_deg: -20.0,
            roll_deg: 0.0,
        };
        let lens = masa_edge_node::perception::georeference::Intrinsics::pinhole([640, 384], 450.0);
        let model = CameraModel::new(&pose, &lens, [640, 384]);
        // From behind the camera to the front of it, and one that stays behind.
        let lines = shown(&[[2.0, -10.0], [2.0, 30.0]], &model, 0.0);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].len() > 20 && lines[0].iter().all(|[x, _]| *x > 320.0), "{lines:?}");
        assert!(shown(&[[-5.0, -20.0], [5.0, -20.0]], &model, 0.0).is_empty());
    }
}
