"""One camera frame: background, actors with their shadows, sensor; and what is really in it.

Boxes are the visible extent of each actor in the instance buffer, so nothing has a box through a wall.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from camera import HEIGHT_PX, WIDTH_PX
from raster import SUPER, cast_shadows, paint, place
from scene import Background


@dataclass
class Actor:
    """A road user: mesh arrays in object axes and a pose on the ground (ENU metres, yaw, speed)."""

    id: int
    kind: str
    arrays: tuple
    e_m: float
    n_m: float
    yaw_rad: float
    speed_mps: float = 0.0


@dataclass
class Label:
    """Truth of one actor in one frame; `visible` is the share of its in-frame pixels that nothing hides."""

    id: int
    kind: str
    box: tuple
    visible: float
    e_m: float
    n_m: float
    yaw_rad: float
    speed_mps: float


@dataclass(frozen=True)
class Sensor:
    """Noise deviation (levels), blur deviation (px), gain, and colour balance per channel."""

    noise: float = 3.0
    blur_px: float = 0.45
    gain: float = 1.0
    balance: tuple = (1.0, 1.0, 1.0)


def render(background: Background, actors: list, sensor: Sensor, rng: np.random.Generator):
    """The `H×W×3 u8` RGB frame and the labels of the actors that show."""
    camera, light = background.camera, background.light
    canvas = background.canvas.copy()
    shadow, contact = np.zeros((2, HEIGHT_PX, WIDTH_PX), np.uint8)
    placed = []
    for actor in actors:
        world = place(actor.arrays[0], actor.e_m, actor.n_m, actor.yaw_rad)
        distance = float(np.hypot(actor.e_m - camera.e_m, actor.n_m - camera.n_m))
        placed.append((distance, actor, world))
        cast_shadows(shadow, contact, camera, light, world, actor.arrays[4])
    share = background.shadow_strength
    dark = cv2.GaussianBlur(shadow, (0, 0), 0.8).astype(np.float32) * (share / 255)
    dark = 1 - (1 - dark) * (1 - cv2.GaussianBlur(contact, (0, 0), 1.6).astype(np.float32) * (0.5 / 255))
    dark = cv2.resize(dark, (WIDTH_PX * SUPER, HEIGHT_PX * SUPER), interpolation=cv2.INTER_LINEAR)
    dark[np.isfinite(background.depth)] = 0
    rows = np.flatnonzero(dark.max(1) > 0.01)
    if len(rows):
        r = slice(rows[0], rows[-1] + 1)
        canvas[r, :, :3] = canvas[r, :, :3] * (1 - dark[r, :, None])
    placed.sort(key=lambda p: -p[0])
    distances = np.zeros(256, np.float32)
    own_pixels = {}
    for k, (distance, actor, world) in enumerate(placed[-255:], start=1):
        if paint(canvas, camera, light, actor.arrays, world, k, background.haze_m):
            distances[k] = np.hypot(distance, camera.u_m)
            own_pixels[k] = (actor, int((canvas[..., 3] == k).sum()))
    instance = canvas[..., 3]
    behind = (instance > 0) & (background.depth < distances[instance])
    canvas[behind] = background.canvas[behind]
    if light.lamps:
        glow(canvas, placed, camera)
    labels = []
    for k, (actor, own) in own_pixels.items():
        ys, xs = np.nonzero(instance == k)
        if len(xs) < 12 or own == 0:
            continue
        box = (xs.min() / SUPER, ys.min() / SUPER, (xs.max() + 1) / SUPER, (ys.max() + 1) / SUPER)
        labels.append(Label(actor.id, actor.kind, tuple(float(v) for v in box), len(xs) / own, actor.e_m, actor.n_m, actor.yaw_rad, actor.speed_mps))
    image = cv2.resize(canvas[..., :3], (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return develop(image, sensor, rng), labels


def glow(canvas, placed, camera):
    """Halos of the headlamps at dusk."""
    small = np.zeros((HEIGHT_PX // 2, WIDTH_PX // 2), np.float32)
    for _, actor, world in placed:
        if actor.kind in ("car", "van", "truck", "bus"):
            ahead = np.array([np.cos(actor.yaw_rad), np.sin(actor.yaw_rad)])
            if ahead @ (camera.position[:2] - [actor.e_m, actor.n_m]) > 0:
                reach = np.ptp((actor.arrays[0].reshape(-1, 3))[:, 0]) / 2
                for s in (-.6, .6):
                    p = np.array([*(np.array([actor.e_m, actor.n_m]) + ahead * reach + s * np.array([-ahead[1], ahead[0]])), .7])
                    x, y = camera.project(p) / 2
                    if 0 <= x < small.shape[1] and 0 <= y < small.shape[0]:
                        cv2.circle(small, (int(x), int(y)), 2, 1.0, -1)
    halo = cv2.GaussianBlur(small, (0, 0), 3.5) * 260 + cv2.GaussianBlur(small, (0, 0), 1.0) * 120
    halo = cv2.resize(halo, (WIDTH_PX * SUPER, HEIGHT_PX * SUPER))
    lit = halo > 1
    canvas[lit, :3] = np.clip(canvas[lit, :3] + halo[lit][:, None] * [1, .96, .86], 0, 255).astype(np.uint8)


def develop(image, sensor: Sensor, rng):
    """Lens blur, vignette, gain, colour balance and noise."""
    image = cv2.GaussianBlur(image, (0, 0), sensor.blur_px).astype(np.float32)
    ys, xs = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    radius = ((xs / WIDTH_PX - .5) ** 2 + (ys / HEIGHT_PX - .5) ** 2).astype(np.float32)
    image *= (sensor.gain * (1 - .28 * radius))[..., None] * np.asarray(sensor.balance, np.float32)
    noise = rng.standard_normal((HEIGHT_PX, WIDTH_PX, 1)).astype(np.float32)
    tint = cv2.resize(rng.standard_normal((HEIGHT_PX // 2, WIDTH_PX // 2, 3)).astype(np.float32), (WIDTH_PX, HEIGHT_PX))
    return np.clip(image + sensor.noise * (noise + .5 * tint), 0, 255).astype(np.uint8)
