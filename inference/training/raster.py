"""Painter's rasteriser: shades quads, sorts them by depth, fills them with OpenCV at twice the final size.

The canvas is `2H×2W×4 u8`: RGB and the instance number (0 is scenery). Objects are painted from far to near; scenery that stands
in front of an object is put back by comparing its depth with the object's distance.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from camera import HEIGHT_PX, NEAR_M, WIDTH_PX, Camera
from meshes import GLASS, LIGHT, PAINT

SUPER = 2
SHIFT = 4  # fractional bits that OpenCV takes for vertices


@dataclass(frozen=True)
class Light:
    """Daylight: `sun` points to the sun; strengths are multiples of an albedo's 8-bit colour."""

    sun: np.ndarray
    sun_rgb: np.ndarray
    ambient_rgb: np.ndarray
    sky_rgb: np.ndarray
    horizon_rgb: np.ndarray
    lamps: bool = False

    def on(self, normals: np.ndarray) -> np.ndarray:
        """Irradiance factor (…, 3) on unit normals (…, 3)."""
        direct = np.maximum(normals @ self.sun, 0.0)[..., None] * self.sun_rgb
        return direct + self.ambient_rgb * (0.68 + 0.32 * normals[..., 2:3])


def place(quads: np.ndarray, e_m: float, n_m: float, yaw_rad: float) -> np.ndarray:
    """Object axes to ENU."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    rotation = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    return quads @ rotation + np.array([e_m, n_m, 0.0])


def shade(quads, normals, colours, materials, camera: Camera, light: Light) -> np.ndarray:
    """Colour of each face, RGB 0–255."""
    out = colours * light.on(normals)
    shiny = np.isin(materials, (PAINT, GLASS))
    if shiny.any():
        view = camera.position - quads[shiny].mean(1)
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        n = normals[shiny]
        facing = np.clip(np.einsum("ij,ij->i", n, view), 0, 1)
        mirror = 2 * facing[:, None] * n - view
        glass = materials[shiny] == GLASS
        fresnel = np.where(glass, 0.10, 0.04) + np.where(glass, 0.9, 0.55) * (1 - facing) ** 4
        up = np.clip(mirror[:, 2:3] * 3 + 0.35, 0, 1)
        sky = up * (light.sky_rgb * 0.6 + light.horizon_rgb * 0.4) + (1 - up) * light.horizon_rgb * 0.38
        glint = np.maximum(mirror @ light.sun, 0) ** 24 * np.where(glass, 0.8, 0.5)
        out[shiny] = out[shiny] * (1 - 0.6 * fresnel[:, None]) + sky * fresnel[:, None] + 255 * glint[:, None] * light.sun_rgb
    lamps = materials == LIGHT
    if lamps.any():
        out[lamps] = colours[lamps] * (1.15 if light.lamps else 0.92)
    return np.clip(out, 0, 255)


def unit_normals(quads: np.ndarray) -> np.ndarray:
    normals = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def fixed_point(pixels: np.ndarray) -> np.ndarray:
    return np.clip(np.round((pixels * SUPER - 0.5) * (1 << SHIFT)), -(1 << 20), 1 << 20).astype(np.int32)


def paint(canvas, camera: Camera, light: Light, arrays, world: np.ndarray, instance: int, haze_m: float, depth=None) -> bool:
    """Paints quads already in ENU; false if they are behind the camera. `depth` (2H×2W f32) receives distances if given."""
    _, colours, materials, biases, _, two_sided = arrays
    in_camera = camera.to_camera(world)
    ahead = in_camera[..., 2].min(1) > NEAR_M
    normals = unit_normals(world)
    outward = np.einsum("ij,ij->i", normals, camera.position - world.mean(1))
    keep = ahead & ((outward > 0) | two_sided)
    if not keep.any():
        return False
    normals = np.where((outward < 0)[:, None], -normals, normals)[keep]
    world, in_camera = world[keep], in_camera[keep]
    rgb = shade(world, normals, colours[keep], materials[keep], camera, light)
    distance = np.linalg.norm(in_camera.mean(1), axis=1)
    haze = (1 - np.exp(-distance / haze_m))[:, None]
    rgb = rgb * (1 - haze) + light.horizon_rgb * haze
    pixels = fixed_point(camera.to_pixels(in_camera))
    order = np.argsort(-(distance - biases[keep]), kind="stable")
    colour_list = np.concatenate([rgb, np.full((len(rgb), 1), instance)], 1)
    for k in order:
        cv2.fillConvexPoly(canvas, pixels[k], colour_list[k].tolist(), cv2.LINE_8, SHIFT)
        if depth is not None:
            cv2.fillConvexPoly(depth, pixels[k], float(distance[k]), cv2.LINE_8, SHIFT)
    return True


def hull_on_ground(mask, camera: Camera, points: np.ndarray, value: float) -> None:
    """Fills the convex hull of ground points (N, 2) into a mask of the final size."""
    ground = np.concatenate([points, np.zeros((len(points), 1))], 1)
    in_camera = camera.to_camera(ground)
    if in_camera[:, 2].min() < NEAR_M:
        return
    pixels = np.clip(camera.to_pixels(in_camera), -4000, 4000).astype(np.float32)
    hull = cv2.convexHull(pixels)
    cv2.fillConvexPoly(mask, np.round((hull - 0.5) * (1 << SHIFT)).astype(np.int32), value, cv2.LINE_AA, SHIFT)


def cast_shadows(mask, contact, camera: Camera, light: Light, world: np.ndarray, parts: np.ndarray) -> None:
    """Adds one object's cast shadow to `mask` and its contact shadow to `contact` (both H×W u8)."""
    offset = light.sun[:2] / max(light.sun[2], 0.2)
    for part in np.unique(parts):
        p = world[parts == part].reshape(-1, 3)
        hull_on_ground(mask, camera, p[:, :2] - p[:, 2:3] * offset, 255)
    low = world.reshape(-1, 3)
    low = low[low[:, 2] < 0.6]
    if len(low) > 2:
        hull_on_ground(contact, camera, low[:, :2], 255)


def ground_map(camera: Camera):
    """Per supersampled pixel: ground ENU (2H×2W×2 f32, NaN above the horizon) and distance along the ground ray (m)."""
    xs = (np.arange(WIDTH_PX * SUPER) + 0.5) / SUPER
    ys = (np.arange(HEIGHT_PX * SUPER) + 0.5) / SUPER
    pixels = np.stack(np.meshgrid(xs, ys), -1)
    ground = camera.to_ground(pixels)
    distance = np.hypot(np.linalg.norm(ground - camera.position[:2], axis=-1), camera.u_m)
    return ground.astype(np.float32), distance.astype(np.float32)
