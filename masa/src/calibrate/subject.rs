//! Which camera is calibrated, and in which frame.

use crate::track::{ImageSize, image_size};
use anyhow::{Context, bail};
use clap::Args;
use masa_edge_node::config::{SiteFile, parse_toml};
use masa_edge_node::perception::georeference::fit::{FitSettings, FocalLength};
use masa_edge_node::perception::georeference::{GeoreferenceSettings, Intrinsics, parse_intrinsics};
use masa_v2x_proto::geo::{SiteFrame, Wgs84};
use std::path::{Path, PathBuf};

/// The camera and its place, as the command line names them.
#[derive(Clone, Debug, Args)]
pub(super) struct SubjectArguments {
    /// The site file: its origin, its map and its camera.
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// The camera of the site whose image size and lens are taken; absent: they are given here.
    #[arg(long, value_name = "ID", requires = "site")]
    camera: Option<String>,
    /// Origin of the site without a site file: latitude and longitude, degrees.
    #[arg(long, value_name = "LAT,LON", value_parser = origin, conflicts_with = "site")]
    origin: Option<Origin>,
    /// Size of the image, such as 1920x1080.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = image_size)]
    image_size: Option<ImageSize>,
    /// The lens: an OpenCV file with `camera_matrix` and `distortion_coefficients`.
    #[arg(long, value_name = "FILE")]
    intrinsics: Option<PathBuf>,
    /// Find the focal length, too: needs a fifth point. Without a lens it is found in any case.
    #[arg(long)]
    fit_focal_length: bool,
    /// Standard deviation of a click, pixels.
    #[arg(long, value_name = "PX", default_value_t = 1.5, value_parser = positive)]
    pixel_sigma: f64,
    /// Standard deviation of a surveyed position, metres.
    #[arg(long, value_name = "M", default_value_t = 0.05, value_parser = not_negative)]
    survey_sigma: f64,
    /// Height of the ground over the site origin, metres.
    #[arg(long, value_name = "M", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(super) ground: f64,
}

/// Latitude and longitude of a site.
#[derive(Clone, Copy, Debug)]
struct Origin(Wgs84);

fn origin(text: &str) -> Result<Origin, String> {
    let (lat, lon) = text.split_once(',').ok_or("not LAT,LON")?;
    let degrees = |text: &str| text.trim().parse::<f64>().map_err(|error| format!("{text:?}: {error}"));
    let (lat_deg, lon_deg) = (degrees(lat)?, degrees(lon)?);
    let is_on_earth = lat_deg.abs() <= 90.0 && lon_deg.abs() <= 180.0;
    is_on_earth.then_some(Origin(Wgs84 { lat_deg, lon_deg, alt_m: 0.0 })).ok_or("not on earth".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    not_negative(text).and_then(|value| if value > 0.0 { Ok(value) } else { Err("not above zero".to_owned()) })
}

fn not_negative(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if value >= 0.0 && value.is_finite() { Ok(value) } else { Err("negative".to_owned()) }
}

/// The camera and its place.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Its name; `camera` where the site has none.
    pub(super) name: String,
    pub(super) frame: SiteFrame,
    pub(super) site: Option<SiteFile>,
    pub(super) settings: FitSettings,
    /// How the site maps the camera's pixels now.
    pub(super) georeference: Option<GeoreferenceSettings>,
}

impl SubjectArguments {
    /// Reads what the arguments name; `image_px` is the size of the image at hand, if there is one.
    pub(super) fn read(&self, image_px: Option<[u32; 2]>) -> anyhow::Result<Subject> {
        let site = self.site.as_deref().map(read_site).transpose()?;
        let mut known = None;
        if let (Some(id), Some(site), Some(path)) = (&self.camera, &site, &self.site) {
            let camera = site.cameras.iter().find(|camera| camera.id == *id);
            let mut camera = camera.with_context(|| format!("{} has no camera `{id}`", path.display()))?.clone();
            // The file that is about to be written need not be there yet.
            let loaded = camera.load_files(path.parent().unwrap_or(Path::new("")));
            known = Some((camera.image_size_px, loaded.is_ok().then_some(camera.georeference)));
        }
        let (known_px, georeference) = known.map_or((None, None), |(size, settings)| (Some(size), settings));
        let given = match &self.intrinsics {
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
                Some(parse_intrinsics(&text).map_err(|what| anyhow::anyhow!("{}: {what}", path.display()))?)
            }
            None => georeference.as_ref().and_then(intrinsics_of),
        };
        let image_size_px = self.image_size.map(|size| size.0).or(known_px).or(image_px);
        let Some(image_size_px) = image_size_px.or(given.map(|lens| lens.image_size_px)) else {
            bail!("the size of the image is not known: give --image-size, or --site with --camera")
        };
        let is_fitted = self.fit_focal_length || given.is_none();
        Ok(Subject {
            name: self.camera.clone().unwrap_or_else(|| "camera".to_owned()),
            frame: SiteFrame::new(self.origin_of(site.as_ref())?),
            settings: FitSettings {
                image_size_px,
                intrinsics: given.unwrap_or_else(|| Intrinsics::pinhole(image_size_px, f64::from(image_size_px[0]))),
                focal_length: if is_fitted { FocalLength::Fitted } else { FocalLength::Known },
                pixel_sigma_px: self.pixel_sigma,
                survey_sigma_m: self.survey_sigma,
            },
            site,
            georeference,
        })
    }

    fn origin_of(&self, site: Option<&SiteFile>) -> anyhow::Result<Wgs84> {
        let origin = site.map(|site| Wgs84::from(site.origin)).or(self.origin.map(|origin| origin.0));
        origin.context("where the site is is not known: give --site or --origin")
    }
}

/// A site file, its calibration files left alone.
fn read_site(path: &Path) -> anyhow::Result<SiteFile> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(parse_toml(&text, path, &|name| std::env::var(name).ok())?)
}

fn intrinsics_of(settings: &GeoreferenceSettings) -> Option<Intrinsics> {
    match settings {
        GeoreferenceSettings::ReferencePoints(s) => s.intrinsics,
        GeoreferenceSettings::ProjectionMatrix(s) => s.intrinsics,
        GeoreferenceSettings::CameraModel(s) => s.calibration.map(|calibration| calibration.intrinsics),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_as_people_write_them() {
        let Origin(at) = origin("44.65554, 10.934315").unwrap();
        assert_eq!((at.lat_deg, at.lon_deg), (44.65554, 10.934315));
        assert!(origin("44.6").is_err() && origin("100,0").is_err());
        assert!(not_negative("-1").is_err() && positive("0").is_err() && not_negative("NaN").is_err());
    }
}
