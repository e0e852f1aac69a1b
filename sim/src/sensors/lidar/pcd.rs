//! Scans as files of the Point Cloud Library.

use super::LidarScan;
use std::io::{self, Write};

/// Instance of points that belong to no actor.
const NOBODY: u32 = u32::MAX;

impl LidarScan {
    /// Writes a binary PCD file, version 0.7: x, y, z, intensity (f32), ring (u16), instance (u32; 4294967295 for none).
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_pcd(&self, mut out: impl Write) -> io::Result<()> {
        let (position, count) = (self.pose.position, self.points.len());
        // Quaternion of the yaw, then of the pitch.
        let (yaw_sin, yaw_cos) = (self.pose.yaw_rad / 2.0).sin_cos();
        let (pitch_sin, pitch_cos) = (-self.pose.pitch_rad / 2.0).sin_cos();
        let [w, x, y, z] = [yaw_cos * pitch_cos, -yaw_sin * pitch_sin, yaw_cos * pitch_sin, yaw_sin * pitch_cos];
        write!(
            out,
            "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS x y z intensity ring instance\n\
             SIZE 4 4 4 4 2 4\nTYPE F F F F U U\nCOUNT 1 1 1 1 1 1\nWIDTH {count}\nHEIGHT 1\n\
             VIEWPOINT {} {} {} {w} {x} {y} {z}\nPOINTS {count}\nDATA binary\n",
            position.x, position.y, position.z
        )?;
        let mut bytes = Vec::with_capacity(count * 22);
        for point in &self.points {
            for value in [point.position.x, point.position.y, point.position.z, point.intensity] {
                bytes.extend(value.to_le_bytes());
            }
            bytes.extend(point.ring.to_le_bytes());
            bytes.extend(point.instance.map_or(NOBODY, |id| id.0).to_le_bytes());
        }
        out.write_all(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LidarPoint;
    use super::*;
    use crate::actor::{ActorId, Pose};
    use nalgebra::Point3;

    #[test]
    fn a_file_has_its_header_and_22_bytes_a_point() {
        let point =
            |x: f32, instance| LidarPoint { position: Point3::new(x, -2.0, 0.5), intensity: 0.25, ring: 3, instance };
        let pose = Pose { position: Point3::new(1.0, 2.0, 3.0), yaw_rad: std::f64::consts::PI, pitch_rad: 0.0 };
        let points = vec![point(1.0, Some(ActorId(77))), point(2.0, None)];
        let mut file = Vec::new();
        LidarScan { time_s: 0.0, pose, points }.write_pcd(&mut file).unwrap();
        let data = file.windows(12).position(|w| w == b"DATA binary\n").unwrap() + 12;
        let header = String::from_utf8(file[..data].to_vec()).unwrap();
        assert!(header.contains("POINTS 2\n") && header.contains("VIEWPOINT 1 2 3 0.000"), "{header}");
        let body = &file[data..];
        assert_eq!(body.len(), 44);
        assert_eq!(f32::from_le_bytes(body[..4].try_into().unwrap()), 1.0);
        assert_eq!(u32::from_le_bytes(body[18..22].try_into().unwrap()), 77);
        assert_eq!(u32::from_le_bytes(body[40..44].try_into().unwrap()), u32::MAX);
    }
}
