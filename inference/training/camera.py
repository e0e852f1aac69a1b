"""Pinhole camera over a flat ground.

World axes are ENU metres of the site origin; the camera looks along `yaw_rad` (counter-clockwise from east), pitched down by
`pitch_rad`. Image x grows right, y grows down, the top-left pixel's corner is (0, 0). No lens distortion.
"""

from dataclasses import dataclass

import numpy as np

WIDTH_PX, HEIGHT_PX = 640, 384
NEAR_M = 0.5


@dataclass(frozen=True)
class Camera:
    """Position in ENU metres, attitude in radians, focal length in pixels of the 640×384 image."""

    e_m: float
    n_m: float
    u_m: float
    yaw_rad: float
    pitch_rad: float
    focal_px: float
    roll_rad: float = 0.0

    @property
    def position(self) -> np.ndarray:
        return np.array([self.e_m, self.n_m, self.u_m])

    def rotation(self) -> np.ndarray:
        """Rows are the camera's right, down and forward axes in ENU."""
        cp, sp = np.cos(self.pitch_rad), np.sin(self.pitch_rad)
        cy, sy = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        forward = np.array([cp * cy, cp * sy, -sp])
        right = np.array([sy, -cy, 0.0])
        down = np.cross(forward, right)
        cr, sr = np.cos(self.roll_rad), np.sin(self.roll_rad)
        return np.stack([cr * right + sr * down, cr * down - sr * right, forward])

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """ENU points (…, 3) to camera axes (right, down, forward)."""
        return (points - self.position) @ self.rotation().T

    def to_pixels(self, in_camera: np.ndarray) -> np.ndarray:
        """Points in camera axes (…, 3), in front of the camera, to pixels (…, 2)."""
        z = np.maximum(in_camera[..., 2:3], 1e-6)
        centre = np.array([WIDTH_PX / 2, HEIGHT_PX / 2])
        return in_camera[..., :2] / z * self.focal_px + centre

    def project(self, points: np.ndarray) -> np.ndarray:
        """ENU points (…, 3) to pixels (…, 2)."""
        return self.to_pixels(self.to_camera(np.asarray(points, float)))

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """ENU directions (…, 3), not normalised, through pixels (…, 2)."""
        centre = np.array([WIDTH_PX / 2, HEIGHT_PX / 2])
        xy = (pixels - centre) / self.focal_px
        return np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1) @ self.rotation()

    def to_ground(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (…, 2) to ground ENU (…, 2); NaN at and above the horizon."""
        rays = self.rays(np.asarray(pixels, float))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(rays[..., 2] < -1e-6, -self.u_m / rays[..., 2], np.nan)
        return self.position[:2] + rays[..., :2] * t[..., None]
