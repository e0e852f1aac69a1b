"""A street junction: roads, markings, pavements, scenery and light, all drawn from one seed.

In: a `Layout` and a `Camera`. Out: the painted background with its depth, from which any number of frames are made.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from camera import HEIGHT_PX, WIDTH_PX, Camera
from meshes import GLASS, GLASS_RGB, MATTE, Mesh, box, tube
from raster import SUPER, Light, ground_map, hull_on_ground, paint, unit_normals

CELL_M, EXTENT_M = 0.07, 90.0


@dataclass(frozen=True)
class Arm:
    """A road that leaves the centre: its direction, lanes a direction, and whether a zebra crosses it."""

    yaw_rad: float
    lanes: int
    zebra: bool


@dataclass(frozen=True)
class Building:
    e_m: float
    n_m: float
    yaw_rad: float
    length_m: float
    depth_m: float
    floors: int


@dataclass
class Layout:
    """A junction; lengths in metres. Traffic keeps to the right."""

    arms: list
    lane_m: float = 3.4
    pavement_m: float = 2.8
    corner_m: float = 7.0
    zebra_at_m: float = 11.0
    buildings: list = field(default_factory=list)
    trees: list = field(default_factory=list)
    poles: list = field(default_factory=list)
    bays: list = field(default_factory=list)

    def half_width(self, arm: Arm) -> float:
        return arm.lanes * self.lane_m + 0.35


DIRECTION = lambda yaw: np.array([np.cos(yaw), np.sin(yaw)])
LEFT = lambda yaw: np.array([-np.sin(yaw), np.cos(yaw)])


def strip(yaw, start, end, left, right):
    """Corners of a rectangle along `yaw`, from `start` to `end` along it, between lateral offsets (left is positive)."""
    d, l = DIRECTION(yaw), LEFT(yaw)
    return np.array([start * d + left * l, end * d + left * l, end * d + right * l, start * d + right * l])


def to_cells(points):
    """ENU to texture pixels (x right = east, y down = south), 1/16 fixed point."""
    p = np.asarray(points, float)
    xy = np.stack([(p[:, 0] + EXTENT_M) / CELL_M, (EXTENT_M - p[:, 1]) / CELL_M], -1)
    return np.round((xy - 0.5) * 16).astype(np.int32)


def speckle(rng, size, scale, channels=1):
    """Smooth noise of unit deviation: white noise at `1/scale` resolution, enlarged."""
    small = rng.standard_normal((max(size // scale, 2), max(size // scale, 2), channels)).astype(np.float32)
    big = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    return big.reshape(size, size, channels)


class Ground:
    """The plan view of a layout: colour texture and what each cell is."""

    def __init__(self, layout: Layout, rng: np.random.Generator):
        self.size = int(2 * EXTENT_M / CELL_M)
        n = self.size
        self.road = self._roads(layout)
        pavement_cells = int(layout.pavement_m / CELL_M)
        walk = cv2.dilate(self.road, disc(pavement_cells))
        rgb = np.empty((n, n, 3), np.float32)
        grass = np.array([rng.uniform(84, 112), rng.uniform(104, 130), rng.uniform(62, 80)])
        verge = grass if rng.random() < .6 else np.array([158, 150, 138]) * rng.uniform(.85, 1.05)
        rgb[:] = verge
        rgb += speckle(rng, n, 8) * 7 + speckle(rng, n, 64) * 9
        slab = np.array([176, 172, 166]) * rng.uniform(.85, 1.08) + rng.uniform(-8, 8, 3)
        grey = rng.uniform(96, 134)
        asphalt = np.array([grey, grey, grey + rng.uniform(-3, 5)])
        self.markings = np.zeros((n, n), np.uint8)
        coarse, middle = speckle(rng, n, 90), speckle(rng, n, 10)
        lines = np.zeros((n, n), np.uint8)
        step = int(rng.choice([0.6, 0.9, 1.2]) / CELL_M)
        lines[::step] = 1
        lines[:, ::step] = 1
        rgb = np.where(walk[..., None] > 0, slab + middle * 3 + coarse * 3 - lines[..., None] * 14, rgb)
        surface = asphalt + coarse * 4.5 + middle * 2.5
        surface -= self._wear(layout)[..., None]
        surface += self._patches(rng)[..., None]
        rgb = np.where(self.road[..., None] > 0, surface, rgb)
        kerb = cv2.subtract(cv2.dilate(self.road, disc(2)), self.road) > 0
        rgb[kerb] = np.array([190, 188, 182])
        self._paint_markings(layout, rng)
        wear = np.clip(0.86 + speckle(rng, n, 14)[..., 0] * 0.10, 0.45, 1.0) * (self.markings / 255.0)
        white = np.array([232, 232, 226]) * rng.uniform(.9, 1.03)
        rgb = rgb * (1 - wear[..., None]) + white * wear[..., None]
        self.levels = [np.clip(rgb, 0, 255).astype(np.uint8)]
        for _ in range(4):
            self.levels.append(cv2.pyrDown(self.levels[-1]))

    def _roads(self, layout):
        mask = np.zeros((self.size, self.size), np.uint8)
        for arm in layout.arms:
            w = layout.half_width(arm)
            cv2.fillConvexPoly(mask, to_cells(strip(arm.yaw_rad, -w * .5, EXTENT_M * 1.6, w, -w)), 255, cv2.LINE_8, 4)
        # Closing rounds the concave corners; done at a quarter of the size, where a big disc is cheap.
        r = int(layout.corner_m / CELL_M / 4)
        small = cv2.resize(mask, None, fx=.25, fy=.25, interpolation=cv2.INTER_AREA)
        small = cv2.copyMakeBorder(small, r, r, r, r, cv2.BORDER_REPLICATE)
        small = cv2.morphologyEx((small > 127).astype(np.uint8) * 255, cv2.MORPH_CLOSE, disc(r))[r:-r, r:-r]
        closed = cv2.GaussianBlur(cv2.resize(small, (self.size, self.size), interpolation=cv2.INTER_LINEAR), (0, 0), 7)
        mask = np.maximum(mask, (closed > 127).astype(np.uint8) * 255)
        mask = (cv2.GaussianBlur(mask, (0, 0), 8) > 127).astype(np.uint8) * 255  # the quarter-size steps show as a ragged kerb
        for e, n_m, yaw, length, width in layout.bays:
            corners = strip(yaw, -length / 2, length / 2, width / 2, -width / 2) + [e, n_m]
            cv2.fillConvexPoly(mask, to_cells(corners), 255, cv2.LINE_8, 4)
        return mask

    def _wear(self, layout):
        """Wheel tracks, darker along each lane."""
        wear = np.zeros((self.size, self.size), np.float32)
        for arm in layout.arms:
            for lane in range(arm.lanes):
                for side in (-1, 1):
                    for track in (-.75, .75):
                        at = side * (lane + .5) * layout.lane_m + track
                        cv2.fillConvexPoly(wear, to_cells(strip(arm.yaw_rad, 0, EXTENT_M * 1.5, at + .3, at - .3)), 7.0, cv2.LINE_AA, 4)
        return cv2.GaussianBlur(wear, (0, 0), 5)

    def _patches(self, rng):
        """Repairs, manholes and cracks."""
        out = np.zeros((self.size, self.size), np.float32)
        for _ in range(int(rng.integers(5, 12))):
            e, n_m, yaw = rng.uniform(-35, 35), rng.uniform(-35, 35), rng.uniform(0, np.pi)
            corners = strip(yaw, 0, rng.uniform(1, 5), 0, rng.uniform(.6, 1.8)) + [e, n_m]
            cv2.fillConvexPoly(out, to_cells(corners), float(rng.uniform(-14, 6)), cv2.LINE_AA, 4)
        for _ in range(int(rng.integers(3, 9))):
            c = to_cells(rng.uniform(-25, 25, (1, 2)))[0]
            cv2.circle(out, c.tolist(), int(.33 / CELL_M * 16), -28.0, -1, cv2.LINE_AA, 4)
        for _ in range(int(rng.integers(6, 16))):
            p = np.cumsum(np.concatenate([rng.uniform(-30, 30, (1, 2)), rng.normal(0, .5, (14, 2)) + rng.normal(0, .3, 2)]), 0)
            cv2.polylines(out, [to_cells(p)], False, -22.0, 1, cv2.LINE_AA, 4)
        return out

    def _paint_markings(self, layout, rng):
        fill = lambda corners: cv2.fillConvexPoly(self.markings, to_cells(corners), 255, cv2.LINE_AA, 4)
        straight = len(layout.arms) == 2
        for arm in layout.arms:
            w, yaw = layout.half_width(arm), arm.yaw_rad
            z = layout.zebra_at_m
            start = z + 5.2 if not straight else (z + 3.5 if arm.zebra else 0)
            if not straight:
                fill(strip(yaw, start - .5, start, w - .3, 0.1))
            solid = start + (14 if not straight else 0)
            fill(strip(yaw, start, solid, .07, -.07))
            for s in np.arange(solid, EXTENT_M * 1.3, 7.5):
                fill(strip(yaw, s, s + 3.0, .07, -.07))
            for side in (-1, 1):
                fill(strip(yaw, start + (4 if not straight else 0), EXTENT_M * 1.3, side * (w - .28), side * (w - .40)))
                for lane in range(1, arm.lanes):
                    for s in np.arange(start, EXTENT_M * 1.3, 6.0):
                        fill(strip(yaw, s, s + 2.4, side * lane * layout.lane_m + .06, side * lane * layout.lane_m - .06))
            if arm.zebra:
                for at in np.arange(-w + .45, w - .55, 1.0):
                    fill(strip(yaw, z - 1.6, z + 1.6, at + .5, at))
            if not straight and rng.random() < .7:
                self._arrow(yaw, start + 6, .5 * layout.lane_m, fill)

    def _arrow(self, yaw, at, lateral, fill):
        d, l = DIRECTION(yaw), LEFT(yaw)
        p = lambda a, b: a * d + b * l
        fill(strip(yaw, at, at + 2.6, lateral + .08, lateral - .08))
        fill(np.array([p(at - 1.0, lateral), p(at + .1, lateral + .38), p(at + .1, lateral - .38)]))

    def kind(self, e_m, n_m):
        """True on the carriageway."""
        x, y = int((e_m + EXTENT_M) / CELL_M), int((EXTENT_M - n_m) / CELL_M)
        return 0 <= x < self.size and 0 <= y < self.size and self.road[y, x] > 0


def disc(radius):
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def facade(mesh: Mesh, building: Building, rng):
    """Walls in cells of about three metres, each with a window, and a roof."""
    b = building
    wall = np.array([(206, 186, 150), (196, 150, 112), (188, 180, 170), (214, 200, 176), (170, 110, 90), (222, 216, 204), (160, 150, 146)]
                    [rng.integers(7)], float) * rng.uniform(.85, 1.05)
    frame, floor_m = wall * .82, 3.2
    d, l = DIRECTION(b.yaw_rad), LEFT(b.yaw_rad)
    centre = np.array([b.e_m, b.n_m, b.floors * floor_m / 2])
    faces = [(d, l, b.length_m, b.depth_m), (-d, -l, b.length_m, b.depth_m), (l, -d, b.depth_m, b.length_m), (-l, d, b.depth_m, b.length_m)]
    point = lambda along, across, a, c, z: np.array([b.e_m, b.n_m, 0]) + np.array([*(along * a + across * c), z])
    shutters = np.array([(72, 92, 70), (98, 66, 48), (120, 120, 118)][rng.integers(3)], float)
    for along, across, run, other in faces:
        cells = max(int(round(run / 3.0)), 1)
        step = run / cells
        for k in range(cells):
            for f in range(b.floors):
                a0, a1, z0, z1 = -run / 2 + k * step, -run / 2 + (k + 1) * step, f * floor_m, (f + 1) * floor_m
                q = lambda x0, x1, y0, y1, out: [point(along, across, x0, other / 2 + out, y0), point(along, across, x1, other / 2 + out, y0),
                                                 point(along, across, x1, other / 2 + out, y1), point(along, across, x0, other / 2 + out, y1)]
                mesh.add([q(a0, a1, z0, z1, 0)], wall * rng.uniform(.97, 1.03), centre=centre)
                mid, wide = (a0 + a1) / 2, step * .19
                low = z0 + (.2 if f == 0 and rng.random() < .3 else .95)
                mesh.add([q(mid - wide - .12, mid + wide + .12, low - .1, z1 - .5, .02)], frame, bias=.3, centre=centre)
                mesh.add([q(mid - wide, mid + wide, low, z1 - .6, .03)], GLASS_RGB, GLASS, bias=.6, centre=centre)
                if f > 0 and rng.random() < .6:
                    for s in (-1, 1):
                        edge = sorted((mid + s * wide, mid + s * wide * 1.9))
                        mesh.add([q(*edge, low, z1 - .6, .05)], shutters, bias=.7, centre=centre)
    top = b.floors * floor_m
    ridge = [point(d, l, s * b.length_m / 2, 0, top + b.depth_m * .22) for s in (-1, 1)]
    tiles = np.array((168, 96, 72)) * rng.uniform(.8, 1.1) if rng.random() < .7 else np.array((120, 118, 116))
    for s in (-1, 1):
        eaves = [point(d, l, t * (b.length_m / 2 + .4), s * (b.depth_m / 2 + .5), top - .1) for t in (-1, 1)]
        mesh.add([[eaves[0], eaves[1], ridge[1], ridge[0]]], tiles, centre=centre)
    for s, r in zip((-1, 1), ridge):
        ends = [point(d, l, s * b.length_m / 2, t * b.depth_m / 2, top) for t in (-1, 1)]
        mesh.add([[ends[0], ends[1], r, r]], wall, centre=centre)


def tree(mesh: Mesh, e_m, n_m, height, rng):
    """A trunk and a crown of leaf clusters."""
    base = np.array([e_m, n_m, 0.0])
    mesh.add(tube(base, base + [0, 0, height * .5], .16, .10)[0], (92, 76, 60), centre=base + [0, 0, height * .25])
    green = np.array([rng.uniform(56, 92), rng.uniform(88, 120), rng.uniform(44, 64)])
    n, crown = int(rng.integers(240, 340)), height * .36
    direction = rng.standard_normal((n, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    lumps = 1 + .16 * np.sin(direction @ rng.normal(0, 3, (3, 3))).sum(1, keepdims=True) / 1.5
    centres = base + [0, 0, height * .66] + direction * rng.uniform(.55, 1.0, (n, 1)) * lumps * np.array([crown, crown, crown * .95])
    size = rng.uniform(.22, .48, (n, 1))
    u = np.cross(direction + rng.normal(0, .5, (n, 3)), rng.standard_normal((n, 3)))
    u *= size / np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(direction, u)
    quads = np.stack([centres - u, centres - v, centres + u, centres + v], 1)
    tone = (0.68 + .42 * (direction[:, 2:3] * .5 + .5)) * rng.uniform(.85, 1.12, (n, 1))
    mesh.add(quads, green * tone, two_sided=True)


def pole(mesh: Mesh, e_m, n_m, kind, rng):
    """Street furniture: lamp, traffic light, sign, bin, bollard, box, bench or bush."""
    base = np.array([e_m, n_m, 0.0])
    up = lambda z: base + [0, 0, z]
    grey = np.array((120, 124, 126)) * rng.uniform(.6, 1.1)
    if kind == "lamp":
        mesh.add(tube(base, up(7.5), .08, .06)[0], grey, centre=up(3.7))
        tip = up(7.5) + np.array([*DIRECTION(rng.uniform(0, 6.28)), 0]) * 1.2
        mesh.add(tube(up(7.4), tip, .05)[0], grey, centre=(up(7.4) + tip) / 2)
        mesh.add(box(tip, (.5, .2, .1))[0], grey, centre=tip)
    elif kind == "signal":
        mesh.add(tube(base, up(3.4), .06)[0], grey * .6, centre=up(1.7))
        mesh.add(box(up(2.9), (.28, .28, .9))[0], (28, 32, 30), centre=up(2.9))
    elif kind == "sign":
        mesh.add(tube(base, up(2.5), .04)[0], grey, centre=up(1.2))
        d = DIRECTION(rng.uniform(0, 6.28))
        colour = [(200, 40, 40), (40, 70, 160), (235, 235, 235)][rng.integers(3)]
        angles = np.linspace(0, 2 * np.pi, 9)
        rim = up(2.5) + .33 * (np.outer(np.cos(angles), [*d, 0]) + np.outer(np.sin(angles), [0, 0, 1]))
        mesh.add(np.stack([rim[:-1], rim[1:], np.broadcast_to(up(2.5), (8, 3)), np.broadcast_to(up(2.5), (8, 3))], 1), colour, two_sided=True, bias=.2)
    elif kind == "bush":
        n = 70
        direction = rng.standard_normal((n, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        centres = up(.45) + direction * np.array([rng.uniform(.5, 1.2), rng.uniform(.5, .9), .45])
        u = np.cross(direction, rng.standard_normal((n, 3))) * .17
        v = np.cross(direction, u)
        mesh.add(np.stack([centres - u, centres - v, centres + u, centres + v], 1),
                 np.array([70, 104, 54]) * (.75 + .3 * direction[:, 2:3]) * rng.uniform(.9, 1.1, (n, 1)), two_sided=True)
    else:
        size = {"bin": (.5, .5, 1.0), "bollard": (.16, .16, .9), "box": (.9, .45, 1.3), "bench": (1.6, .45, .5)}[kind]
        colour = {"bin": (50, 84, 60), "bollard": (90, 92, 94), "box": (150, 156, 150), "bench": (120, 88, 60)}[kind]
        quads, c = box(up(size[2] / 2), size)
        mesh.add(quads, np.array(colour) * rng.uniform(.8, 1.15), centre=c)


class Background:
    """The painted empty scene of one layout, camera and light."""

    def __init__(self, layout: Layout, camera: Camera, light: Light, rng: np.random.Generator, ground=None):
        self.layout, self.camera, self.light = layout, camera, light
        self.ground = ground or Ground(layout, rng)
        self.haze_m = float(rng.uniform(350, 900))
        height, width = HEIGHT_PX * SUPER, WIDTH_PX * SUPER
        self.canvas = np.zeros((height, width, 4), np.uint8)
        self.depth = np.full((height, width), np.inf, np.float32)
        rgb = self._ground_and_sky(rng)
        mesh = Mesh()
        for b in layout.buildings:
            facade(mesh, b, rng)
        for e, n, h in layout.trees:
            tree(mesh, e, n, h, rng)
        for e, n, kind in layout.poles:
            pole(mesh, e, n, kind, rng)
        shadow = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        if mesh.quads:
            arrays = mesh.arrays()
            if light.sun_rgb.max() > .25:
                self._static_shadows(shadow, rng)
            dark = cv2.GaussianBlur(cv2.resize(shadow, (width, height)), (0, 0), 2.0 * SUPER).astype(np.float32) / 255
            on_ground = np.isfinite(self.ground_distance)
            rgb *= 1 - (self.shadow_strength * dark * on_ground)[..., None]
            self.canvas[..., :3] = np.clip(rgb, 0, 255).astype(np.uint8)
            paint(self.canvas, camera, light, arrays, arrays[0], 0, self.haze_m, self.depth)
        else:
            self.canvas[..., :3] = np.clip(rgb, 0, 255).astype(np.uint8)

    @property
    def shadow_strength(self) -> float:
        """Share of the light on the ground that comes straight from the sun."""
        up = np.array([0, 0, 1.0])
        total = self.light.on(up).mean()
        return float((total - self.light.ambient_rgb.mean()) / total)

    def _ground_and_sky(self, rng):
        xy, self.ground_distance = ground_map(self.camera)
        above = ~np.isfinite(self.ground_distance)
        x = np.where(above, -1e4, (xy[..., 0] + EXTENT_M) / CELL_M).astype(np.float32)
        y = np.where(above, -1e4, (EXTENT_M - xy[..., 1]) / CELL_M).astype(np.float32)
        distance = np.where(above, 1e4, self.ground_distance)
        # Footprint of a pixel: geometric mean of across the view and along it.
        footprint = distance / self.camera.focal_px / SUPER * np.sqrt(np.maximum(distance / self.camera.u_m, 1))
        level = np.clip(np.round(np.log2(np.maximum(footprint / CELL_M, 1))), 0, len(self.ground.levels) - 1)
        rgb = np.zeros((*distance.shape, 3), np.float32)
        for k, texture in enumerate(self.ground.levels):
            rows = np.flatnonzero((level == k).any(1))
            if len(rows):
                r = slice(rows[0], rows[-1] + 1)
                s = 0.5 ** k
                sample = cv2.remap(texture, (x[r] - .5) * s, (y[r] - .5) * s, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(104, 116, 84))
                rgb[r] = np.where((level[r] == k)[..., None], sample, rgb[r])
        for cell, strength in ((.02, 9.0), (.11, 6.0)):
            tile = rng.standard_normal((1024, 1024)).astype(np.float32)
            u, v = np.where(above, 0, xy[..., 0] / cell).astype(np.float32), np.where(above, 0, xy[..., 1] / cell).astype(np.float32)
            noise = cv2.remap(tile, np.mod(u, 1023), np.mod(v, 1023), cv2.INTER_LINEAR)
            rgb += (noise * strength * np.clip(cell / np.maximum(footprint, 1e-3), 0, 1))[..., None]
        rgb *= self.light.on(np.array([0, 0, 1.0]))
        haze = (1 - np.exp(-distance / self.haze_m))[..., None]
        rgb = rgb * (1 - haze) + self.light.horizon_rgb * haze
        return np.where(above[..., None], self._sky(rng, rgb.shape), rgb)

    def _sky(self, rng, shape):
        ys = (np.arange(shape[0]) + .5) / SUPER
        ray = self.camera.rays(np.stack([np.full_like(ys, WIDTH_PX / 2), ys], -1))
        up = np.clip(ray[:, 2] / np.linalg.norm(ray, axis=1), 0, 1)[:, None, None]
        sky = self.light.horizon_rgb * (1 - np.sqrt(up)) + self.light.sky_rgb * np.sqrt(up)
        clouds = cv2.resize(rng.standard_normal((7, 14)).astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        clouds += .5 * cv2.resize(rng.standard_normal((22, 40)).astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        return sky + (np.clip(clouds * 12, -8, 30))[..., None]

    def _static_shadows(self, shadow, rng):
        """Trees and buildings on the ground; trees as scattered blobs."""
        offset = self.light.sun[:2] / max(self.light.sun[2], .25)
        for e, n, h in self.layout.trees:
            centre = np.array([e, n]) - offset * h * .66
            angles = np.linspace(0, 2 * np.pi, 16)
            for _ in range(9):
                c = centre + rng.normal(0, h * .14, 2)
                blob = c + np.stack([np.cos(angles), np.sin(angles)], -1) * h * rng.uniform(.12, .24)
                hull_on_ground(shadow, self.camera, blob, 255)
        for b in self.layout.buildings:
            corners = strip(b.yaw_rad, -b.length_m / 2, b.length_m / 2, b.depth_m / 2, -b.depth_m / 2) + [b.e_m, b.n_m]
            hull_on_ground(shadow, self.camera, np.concatenate([corners, corners - offset * b.floors * 3.2]), 255)
        for e, n, _ in self.layout.poles:
            p = np.array([e, n])
            hull_on_ground(shadow, self.camera, np.stack([p - .07, p + .07, p - offset * 3 - .05, p - offset * 3 + .05]), 255)
