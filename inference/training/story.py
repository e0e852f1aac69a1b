"""The demo clip's script: one fixed junction, one camera, forty seconds that repeat without a seam.

The clip is periodic: who leaves at the end of it is already there at its start. Lengths are metres, times seconds of the clip.
"""

from dataclasses import dataclass, field

import numpy as np

from camera import Camera
from frame import Actor, Sensor
from layouts import furnish
from meshes import BUILDERS
from raster import Light
from scene import Arm, Background, Building, Layout

PERIOD_S, RATE_HZ = 40.0, 10
CAMERA = Camera(-17.0, -8.6, 7.0, np.deg2rad(25.0), np.deg2rad(14.0), 520.0)
LANE_M, HALF_ROAD_M, ZEBRA_AT_M, CORNER_M = 3.5, 3.85, 8.0, 5.0
BAY = (20.0, 5.5, 0.0, 14.0, 2.4)
SEED = 4102  # training and test images use other seeds, layouts and cameras


def junction() -> Layout:
    """A main road from west to east, a side road to the north, a zebra east of the junction, a parking bay."""
    arms = [Arm(0.0, 1, True), Arm(np.pi, 1, False), Arm(np.pi / 2, 1, False)]
    return Layout(arms, LANE_M, 3.2, CORNER_M, ZEBRA_AT_M, bays=[BAY])


def background() -> Background:
    rng = np.random.default_rng(SEED)
    layout = junction()

    def refuse(e, n):
        ahead = np.array([np.cos(CAMERA.yaw_rad), np.sin(CAMERA.yaw_rad)])
        offset = np.array([e - CAMERA.e_m, n - CAMERA.n_m])
        in_view = offset @ ahead > .78 * np.hypot(*offset)
        return np.hypot(*offset) < 10 or (in_view and n < -1 and e < 48) or (in_view and np.hypot(*offset) < 24) or (10 < e < 30 and 0 < n < 7.6)

    layout.buildings = [Building(18, 15.5, 0.0, 16, 9, 3), Building(37, 16, 0.0, 17, 10, 2), Building(-15, 24, np.pi / 2, 16, 9, 3),
                        Building(14, 36, np.pi / 2, 18, 10, 2)]
    furnish(layout, rng, refuse)
    layout.trees += [(8.5, 13.5, 6.5), (29.0, 9.3, 6.0), (47.5, 9.5, 7.0), (-9.5, 15.5, 7.0), (26.0, -11.0, 6.0), (37.0, -10.0, 6.5), (50.0, -11.5, 7.0)]
    layout.poles += [(10.6, 6.3, "signal"), (6.6, 13.0, "lamp"), (30.5, 8.6, "bench"), (11.8, 9.0, "bush"), (6.0, -9.6, "bush"), (8.5, -9.9, "bush"), (17.0, -9.0, "bench"), (13.5, -8.0, "bin")]
    elevation, azimuth = np.deg2rad(48), np.deg2rad(215)
    sun = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    light = Light(sun, np.array([.78, .75, .69]), np.array([.54, .57, .62]), np.array([118., 162, 214]), np.array([206., 218, 228]))
    return Background(layout, CAMERA, light, rng)


def rounded(points, radius):
    """A polyline with its inner corners replaced by arcs (quadratic curves) of about `radius`."""
    points = [np.asarray(p, float) for p in points]
    out = [points[0]]
    for a, b, c in zip(points, points[1:], points[2:]):
        u, v = (a - b) / np.linalg.norm(a - b), (c - b) / np.linalg.norm(c - b)
        p, q = b + u * min(radius, np.linalg.norm(a - b) / 2), b + v * min(radius, np.linalg.norm(c - b) / 2)
        out += [(1 - t) ** 2 * p + 2 * t * (1 - t) * b + t ** 2 * q for t in np.linspace(0, 1, 12)]
    return np.array(out + [points[-1]])


@dataclass
class Role:
    """Someone in the clip: when they enter, their way, and their speed as (seconds since entry, m/s) joined by lines."""

    id: int
    name: str
    kind: str
    enters_s: float
    way: list
    speed: list
    radius_m: float = 1.0
    look: int = 0
    mesh: dict = field(default_factory=dict)

    def __post_init__(self):
        self.points = rounded(self.way, self.radius_m)
        self.along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(self.points, axis=0), axis=1))])
        times = np.arange(0, PERIOD_S + .01, .01)
        self.times = times
        self.speeds = np.interp(times, *np.array(self.speed, float).T)
        self.travelled = np.concatenate([[0], np.cumsum((self.speeds[1:] + self.speeds[:-1]) / 2 * .01)])

    def at(self, clip_s: float):
        """(e, n, yaw, speed, distance travelled) or None when absent."""
        t = (clip_s - self.enters_s) % PERIOD_S
        s = np.interp(t, self.times, self.travelled)
        if s >= self.along[-1] and len(self.way) > 1:
            return None
        place = lambda d: np.array([np.interp(d, self.along, self.points[:, k]) for k in (0, 1)])
        here, ahead, behind = place(s), place(min(s + .6, self.along[-1])), place(max(s - .6, 0))
        yaw = np.arctan2(*(ahead - behind)[::-1])
        return here[0], here[1], yaw, float(np.interp(t, self.times, self.speeds)), s


RED, BLUE, SILVER, YELLOW, GREEN, WHITE = (176, 30, 32), (36, 70, 140), (196, 200, 204), (214, 168, 36), (40, 96, 72), (238, 238, 236)
EAST, WEST = -LANE_M / 2, LANE_M / 2

ROLES = [
    Role(1, "red car, eastbound", "car", 0.0, [(-30, EAST), (95, EAST)], [(0, 12.0)], look=11, mesh={"paint": RED}),
    Role(2, "blue car, westbound", "car", 2.0, [(95, WEST), (-26, WEST)], [(0, 12.0)], look=12, mesh={"paint": BLUE}),
    Role(3, "cyclist, eastbound", "bicycle", 3.0, [(-18, -3.15), (80, -3.15)], [(0, 5.0)], look=13),
    Role(4, "silver car, turns left into the side road", "car", 8.0, [(-30, EAST), (LANE_M / 2, EAST), (LANE_M / 2, 70)],
         [(0, 9.0), (2, 9.0), (3.6, 5.0), (6.0, 5.0), (8.5, 9.0)], radius_m=8.0, look=14, mesh={"paint": SILVER}),
    Role(5, "pedestrian, crosses on the zebra", "person", 39.0, [(-14, -5.4), (8.0, -5.4), (8.0, 6.9), (5.9, 9.5), (5.9, 31.0)], [(0, 1.5)], look=15),
    Role(6, "yellow car, stops in its lane, leaves again", "car", 18.0, [(-30, EAST), (95, EAST)],
         [(0, 10.0), (3.0, 10.0), (6.4, 0.0), (19.4, 0.0), (24.0, 9.5)], look=16, mesh={"paint": YELLOW, "hazards": True}),
    Role(7, "pedestrian, crosses the road outside the zebra", "person", 18.0, [(-15, -5.6), (-6.0, -5.6), (-6.4, 6.0), (-22, 6.4)], [(0, 1.35)], look=17),
    Role(8, "e-scooter, westbound", "e-scooter", 12.0, [(70, 2.9), (-24, 2.9)], [(0, 5.5)], look=18),
    Role(9, "bus, westbound", "bus", 24.0, [(95, WEST), (-32, WEST)], [(0, 9.0)], look=19),
    Role(10, "van, westbound", "van", 30.5, [(95, WEST), (-28, WEST)], [(0, 10.5)], look=34, mesh={"paint": WHITE}),
    Role(11, "motorcycle, eastbound", "motorcycle", 37.0, [(-28, EAST), (95, EAST)], [(0, 11.0)], look=21),
    Role(12, "pedestrian, on the pavement", "person", 10.0, [(27.2, 14.5), (27.2, 7.5), (10.0, 7.2), (6.0, 9.8), (6.0, 34)], [(0, 1.4)], look=22),
    Role(13, "parked car", "car", 0.0, [(22.0, 5.6), (21.0, 5.6)], [(0, 0.0)], look=23, mesh={"paint": GREEN}),
]


class Cast:
    """Builds the actors of any instant of the clip."""

    def __init__(self):
        self.fixed = {r.id: BUILDERS[r.kind](np.random.default_rng([SEED, r.look]), **r.mesh).arrays() for r in ROLES if r.kind not in ("person", "bicycle")
                      and not r.mesh.get("hazards")}

    def arrays(self, role: Role, clip_s: float, travelled_m: float, speed_mps: float):
        if role.id in self.fixed:
            return self.fixed[role.id]
        rng, extra = np.random.default_rng([SEED, role.look]), dict(role.mesh)
        if role.kind == "person":
            extra["phase"] = travelled_m * 2 * np.pi / 1.5
        elif role.kind == "bicycle":
            extra["phase"] = -travelled_m * 2 * np.pi / 4.0
        if extra.get("hazards"):
            extra["hazards"] = speed_mps < 6 and (clip_s % .8) < .4
        return BUILDERS[role.kind](rng, **extra).arrays()

    def at(self, clip_s: float) -> list:
        actors = []
        for role in ROLES:
            pose = role.at(clip_s)
            if pose is not None:
                e, n, yaw, speed, travelled = pose
                actors.append(Actor(role.id, role.kind, self.arrays(role, clip_s, travelled, speed), e, n, yaw, speed))
        return actors


SENSOR = Sensor(noise=2.0, blur_px=.45)
