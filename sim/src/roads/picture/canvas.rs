//! A picture in metres: polygons, lines, discs, a scale bar.

use crate::geometry::Polyline;
use image::RgbImage;
use nalgebra::Point2;
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) width_m: f64,
    pub(super) colour: [u8; 3],
    /// Length of a dash and of the gap behind it.
    pub(super) dash_m: Option<[f64; 2]>,
}

impl Line {
    pub(super) fn new(width_m: f64, colour: [u8; 3]) -> Self {
        Self { width_m, colour, dash_m: None }
    }
}

/// The picture, and where it lies.
#[derive(Debug)]
pub(super) struct Canvas {
    pixels: Pixmap,
    /// North-west corner, metres.
    corner: Point2<f64>,
    px_per_m: f64,
}

impl Canvas {
    /// A picture of the region from `low` to `high` whose longer side has `size_px`.
    pub(super) fn new(size_px: u32, low: Point2<f64>, high: Point2<f64>, background: [u8; 3]) -> Self {
        let extent = (high - low).map(|side| side.max(1.0));
        let px_per_m = f64::from(size_px) / extent.max();
        let [width, height] = [extent.x, extent.y].map(|side| ((side * px_per_m).round() as u32).clamp(1, size_px));
        let mut pixels = Pixmap::new(width, height).expect("sides from 1 to 8192 are a picture");
        let [red, green, blue] = background;
        pixels.fill(tiny_skia::Color::from_rgba8(red, green, blue, 255));
        Self { pixels, corner: Point2::new(low.x, high.y), px_per_m }
    }

    pub(super) fn px_per_m(&self) -> f64 {
        self.px_per_m
    }

    fn px(&self, p: Point2<f64>) -> (f32, f32) {
        (((p.x - self.corner.x) * self.px_per_m) as f32, ((self.corner.y - p.y) * self.px_per_m) as f32)
    }

    fn path(&self, points: impl IntoIterator<Item = Point2<f64>>, closed: bool) -> Option<Path> {
        let mut path = PathBuilder::new();
        for (place, point) in points.into_iter().enumerate() {
            let (x, y) = self.px(point);
            if place == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        if closed {
            path.close();
        }
        path.finish()
    }

    /// A filled polygon.
    pub(super) fn area(&mut self, outline: &[Point2<f64>], colour: [u8; 3]) {
        // A junction's outline may be a mere line, which encloses nothing.
        let path = self.path(outline.iter().copied(), true);
        if let Some(path) = path.filter(|path| path.bounds().width() > 0.0 && path.bounds().height() > 0.0) {
            self.pixels.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
        }
    }

    /// A polygon's sides.
    pub(super) fn outline(&mut self, outline: &[Point2<f64>], width_m: f64, colour: [u8; 3]) {
        if let Some(path) = self.path(outline.iter().copied(), true) {
            self.stroke(&path, &Line::new(width_m, colour));
        }
    }

    /// A line, without ends that stick out.
    pub(super) fn line(&mut self, line: &Polyline, style: &Line) {
        if let Some(path) = self.path(line.points().iter().map(nalgebra::Point3::xy), false) {
            self.stroke(&path, style);
        }
    }

    fn stroke(&mut self, path: &Path, style: &Line) {
        let px = |length_m: f64| (length_m * self.px_per_m) as f32;
        let dash = style.dash_m.and_then(|dash| StrokeDash::new(dash.map(px).to_vec(), 0.0));
        let stroke = Stroke {
            // Thinner lines fade away.
            width: px(style.width_m).max(0.3),
            line_cap: LineCap::Butt,
            line_join: LineJoin::Round,
            dash,
            ..Stroke::default()
        };
        self.pixels.stroke_path(path, &paint(style.colour), &stroke, Transform::identity(), None);
    }

    /// A filled circle.
    pub(super) fn disc(&mut self, middle: Point2<f64>, radius_m: f64, colour: [u8; 3]) {
        let (x, y) = self.px(middle);
        if let Some(path) = PathBuilder::from_circle(x, y, ((radius_m * self.px_per_m) as f32).max(0.6)) {
            self.pixels.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
        }
    }

    /// A scale bar at the lower left, a north arrow at the upper right.
    pub(super) fn furniture(&mut self) {
        const INK: [u8; 3] = [32, 34, 38];
        let (width, height) = (self.pixels.width() as f32, self.pixels.height() as f32);
        let unit = (width.max(height) / 100.0).min(width.min(height) / 16.0).max(3.0);
        let length_m = scale_m(f64::from(width) * 0.2 / self.px_per_m);
        let length = (length_m * self.px_per_m) as f32;
        let (left, base) = (unit, height - unit);
        let letters = format!("{length_m} m");
        self.plate(left - unit * 0.5, base - unit * 2.8, length.max(letters.len() as f32 * unit) + unit, unit * 3.3);
        let bar = [(left, base - 0.5 * unit), (left, base), (left + length, base), (left + length, base - 0.5 * unit)];
        self.strokes(&[&bar], unit * 0.18, INK);
        for (place, letter) in letters.chars().enumerate() {
            let (x, y) = (left + place as f32 * unit, base - unit * 0.9);
            let strokes = strokes_of(letter);
            let placed: Vec<Vec<(f32, f32)>> = strokes
                .iter()
                .map(|stroke| stroke.iter().map(|(u, v)| (x + u * unit * 0.7, y - v * unit * 1.3)).collect())
                .collect();
            let placed: Vec<&[(f32, f32)]> = placed.iter().map(Vec::as_slice).collect();
            self.strokes(&placed, unit * 0.14, INK);
        }
        let (x, y) = (width - unit * 2.0, unit);
        self.plate(x - unit * 1.2, y - unit * 0.5, unit * 2.4, unit * 5.0);
        let arrow =
            [(x, y + unit * 2.6), (x, y), (x - unit * 0.6, y + unit * 0.9), (x, y), (x + unit * 0.6, y + unit * 0.9)];
        let north = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)];
        let north = north.map(|(u, v): (f32, f32)| (x + (u - 0.5) * unit * 0.8, y + unit * (4.2 - v * 1.2)));
        self.strokes(&[&arrow, &north], unit * 0.16, INK);
    }

    /// A light plate under lettering.
    fn plate(&mut self, x: f32, y: f32, width: f32, height: f32) {
        if let Some(plate) = tiny_skia::Rect::from_xywh(x, y, width, height) {
            let mut paint = paint([255, 255, 255]);
            paint.set_color_rgba8(255, 255, 255, 200);
            self.pixels.fill_rect(plate, &paint, Transform::identity(), None);
        }
    }

    fn strokes(&mut self, strokes: &[&[(f32, f32)]], width: f32, colour: [u8; 3]) {
        let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        for points in strokes {
            let mut path = PathBuilder::new();
            for (place, (x, y)) in points.iter().enumerate() {
                if place == 0 { path.move_to(*x, *y) } else { path.line_to(*x, *y) }
            }
            if let Some(path) = path.finish() {
                self.pixels.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
            }
        }
    }

    pub(super) fn into_image(self) -> RgbImage {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let rgb = self.pixels.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
        RgbImage::from_raw(width, height, rgb).expect("three bytes for each pixel")
    }
}

fn paint(colour: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 255);
    paint
}

/// The longest of 1, 2, 5, 10, 20… metres that is not above `most_m`.
fn scale_m(most_m: f64) -> f64 {
    let power = 10f64.powf(most_m.max(1.0).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|digit| digit * power).find(|length| *length <= most_m).unwrap_or(power)
}

/// Strokes of a digit or an `m` in a square from (0, 0), lower left, to (1, 1).
fn strokes_of(letter: char) -> &'static [&'static [(f32, f32)]] {
    const TOP: [(f32, f32); 2] = [(0.0, 1.0), (1.0, 1.0)];
    match letter {
        '0' => &[&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)]],
        '1' => &[&[(0.3, 0.8), (0.6, 1.0), (0.6, 0.0)]],
        '2' => &[&TOP, &[(1.0, 1.0), (1.0, 0.5), (0.0, 0.5), (0.0, 0.0), (1.0, 0.0)]],
        '5' => &[&[(1.0, 1.0), (0.0, 1.0), (0.0, 0.5), (1.0, 0.5), (1.0, 0.0), (0.0, 0.0)]],
        'm' => &[&[(0.0, 0.0), (0.0, 0.6), (0.5, 0.6), (0.5, 0.0)], &[(0.5, 0.6), (1.0, 0.6), (1.0, 0.0)]],
        _ => &[],
    }
}
