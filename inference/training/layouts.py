"""Random junctions, cameras, daylight and traffic for training and for testing, all from a seed."""

import numpy as np

from camera import HEIGHT_PX, WIDTH_PX, Camera
from frame import Actor, Sensor
from meshes import BUILDERS, CLASSES
from raster import Light
from scene import DIRECTION, LEFT, Arm, Building, Layout

# Road users as a camera over a junction meets them, flattened so that the rare ones are learnt too.
SHARES = {"person": .29, "bicycle": .13, "motorcycle": .07, "e-scooter": .08, "car": .24, "van": .06, "truck": .05, "bus": .04, "animal": .04}
FOOTPRINT_M = {"person": (.6, .6), "bicycle": (1.8, .7), "motorcycle": (2.0, .8), "e-scooter": (1.2, .7), "car": (4.6, 1.9), "van": (5.4, 2.1),
               "truck": (8.5, 2.6), "bus": (11.5, 2.7), "animal": (1.2, .5)}


def daylight(rng: np.random.Generator, mood=None) -> Light:
    """Sun, overcast or dusk."""
    mood = mood or rng.choice(["sun", "sun", "overcast", "dusk"])
    azimuth = rng.uniform(0, 2 * np.pi)
    if mood == "sun":
        height, sun, ambient = rng.uniform(.45, 1.2), rng.uniform(.60, .9), rng.uniform(.48, .66)
        sky, horizon = (118, 162, 214), (206, 218, 228)
        sun_rgb, ambient_rgb = np.array([1.0, .96, .88]) * sun, np.array([.93, .98, 1.06]) * ambient
    elif mood == "overcast":
        height, sun, ambient = rng.uniform(.6, 1.2), rng.uniform(.04, .15), rng.uniform(.78, 1.0)
        sky, horizon = (184, 190, 198), (208, 211, 214)
        sun_rgb, ambient_rgb = np.ones(3) * sun, np.array([.98, 1.0, 1.03]) * ambient
    else:
        height, sun, ambient = rng.uniform(.25, .5), rng.uniform(.2, .5), rng.uniform(.46, .66)
        sky, horizon = (84, 104, 146), (196, 164, 140)
        sun_rgb, ambient_rgb = np.array([1.0, .72, .48]) * sun, np.array([.92, .96, 1.14]) * ambient
    direction = np.array([np.cos(height) * np.cos(azimuth), np.cos(height) * np.sin(azimuth), np.sin(height)])
    level = {"sun": 1.0, "overcast": 1.0, "dusk": .8}[mood]
    return Light(direction, sun_rgb, ambient_rgb, np.array(sky) * level, np.array(horizon) * level, mood == "dusk")


def furnish(layout: Layout, rng, keep_clear=None) -> Layout:
    """Adds buildings, trees and street furniture beside the roads. `keep_clear(e, n)` refuses a place."""
    arms = layout.arms
    yaws = np.sort([a.yaw_rad % (2 * np.pi) for a in arms])
    def clearance(e, n):
        p = np.array([e, n])
        gaps = [abs(LEFT(a.yaw_rad) @ p) - layout.half_width(a) if DIRECTION(a.yaw_rad) @ p > 0 else np.linalg.norm(p) - layout.half_width(a) for a in arms]
        return min(gaps)
    refuse = keep_clear or (lambda e, n: False)
    for a, b in zip(yaws, np.roll(yaws, -1)):
        gap = (b - a) % (2 * np.pi)
        for yaw, side in ((a, 1), (b, -1)):
            at = layout.corner_m + layout.pavement_m + rng.uniform(4, 9)
            if gap < np.pi * .9:
                at /= max(np.tan(gap / 2), .5)
            while at < 62:
                length, depth = rng.uniform(9, 20), rng.uniform(8, 12)
                lateral = side * (layout.lane_m * 2 + layout.pavement_m + rng.uniform(2, 6) + depth / 2)
                p = DIRECTION(yaw) * (at + length / 2) + LEFT(yaw) * lateral
                ends = [p + DIRECTION(yaw) * s * length / 2 + LEFT(yaw) * t * depth / 2 for s in (-1, 0, 1) for t in (-1, 1)]
                clash = any(np.hypot(o.e_m - p[0], o.n_m - p[1]) < (o.length_m + length) * .5 for o in layout.buildings)
                if rng.random() < .8 and not clash and min(clearance(*q) for q in ends) > layout.pavement_m + .8 and not any(refuse(*q) for q in ends):
                    layout.buildings.append(Building(p[0], p[1], yaw, length, depth, int(rng.integers(2, 5))))
                at += length + rng.uniform(1, 8)
    inside = lambda e, n: any(abs(DIRECTION(b.yaw_rad) @ [e - b.e_m, n - b.n_m]) < b.length_m / 2 + 1 and
                              abs(LEFT(b.yaw_rad) @ [e - b.e_m, n - b.n_m]) < b.depth_m / 2 + 1 for b in layout.buildings)
    for _ in range(int(rng.integers(14, 34))):
        e, n = rng.uniform(-60, 60, 2)
        if clearance(e, n) > layout.pavement_m + .4 and not inside(e, n) and not refuse(e, n):
            layout.trees.append((e, n, rng.uniform(5, 10)))
    kinds = ["lamp", "sign", "signal", "bin", "bollard", "bollard", "box", "bench", "bush", "bush"]
    for _ in range(int(rng.integers(10, 26))):
        arm = arms[rng.integers(len(arms))]
        lateral = rng.choice([-1, 1]) * (layout.half_width(arm) + rng.uniform(.4, 5))
        p = DIRECTION(arm.yaw_rad) * rng.uniform(8, 45) + LEFT(arm.yaw_rad) * lateral
        if clearance(*p) > .35 and not refuse(*p) and not inside(*p):
            layout.poles.append((p[0], p[1], str(rng.choice(kinds))))
    return layout


def random_layout(rng: np.random.Generator) -> Layout:
    """A crossroads, a T-junction, a skewed junction or a straight street."""
    base, shape = rng.uniform(0, 2 * np.pi), rng.choice(["cross", "tee", "skew", "straight"], p=[.35, .3, .2, .15])
    offsets = {"cross": [0, .5, 1, 1.5], "tee": [0, .5, 1], "skew": [0, .4, 1.05], "straight": [0, 1]}[shape]
    lanes = int(rng.choice([1, 1, 2]))
    arms = [Arm(base + o * np.pi + rng.uniform(-.06, .06) * (shape != "straight"), lanes if i % 2 == 0 else 1, bool(rng.random() < .6))
            for i, o in enumerate(offsets)]
    return Layout(arms, lane_m=rng.uniform(2.9, 3.6), pavement_m=rng.uniform(1.8, 4.0), corner_m=rng.uniform(5, 9), zebra_at_m=rng.uniform(10, 14))


def random_camera(rng: np.random.Generator, layout: Layout) -> Camera:
    """On a pole beside the junction, looking over its middle."""
    while True:
        yaw_at, reach = rng.uniform(0, 2 * np.pi), rng.uniform(10, 26)
        p = DIRECTION(yaw_at) * reach
        gaps = [abs(LEFT(a.yaw_rad) @ p) - layout.half_width(a) for a in layout.arms if DIRECTION(a.yaw_rad) @ p > 0]
        if not gaps or min(gaps) > .3:
            break
    target = rng.uniform(-7, 7, 2)
    height, focal = rng.uniform(5, 9), rng.uniform(400, 640)
    yaw = np.arctan2(*(target - p)[::-1])
    pitch = np.arctan2(height, np.linalg.norm(target - p)) - np.arctan(rng.uniform(-10, 70) / focal)
    return Camera(p[0], p[1], height, yaw, float(np.clip(pitch, .12, .6)), focal, rng.uniform(-.025, .025))


def random_sensor(rng: np.random.Generator) -> Sensor:
    return Sensor(rng.uniform(1.0, 6.0), rng.uniform(.3, .9), rng.uniform(.82, 1.15), tuple(rng.uniform(.95, 1.05, 3)))


def random_pose(rng, layout: Layout, kind: str, near: np.ndarray):
    """A plausible place and heading for a road user."""
    if kind in ("person", "animal") or (kind == "e-scooter" and rng.random() < .4):
        arm = layout.arms[rng.integers(len(layout.arms))]
        w, along = layout.half_width(arm), rng.uniform(0, 45)
        where = rng.random()
        if where < .40:
            lateral = rng.choice([-1, 1]) * (w + rng.uniform(.2, layout.pavement_m))
        elif where < .65 and arm.zebra:
            along, lateral = layout.zebra_at_m + rng.uniform(-1.4, 1.4), rng.uniform(-w, w)
        else:
            lateral = rng.uniform(-w - 4, w + 4)
        p = DIRECTION(arm.yaw_rad) * along + LEFT(arm.yaw_rad) * lateral
        if rng.random() < .25:
            p = near + rng.uniform(-9, 9, 2)
        return p, rng.uniform(0, 2 * np.pi)
    arm = layout.arms[rng.integers(len(layout.arms))]
    w, along = layout.half_width(arm), rng.uniform(-4, 60 if kind in ("car", "van", "truck", "bus") else 45)
    inbound = rng.random() < .5
    if kind in ("bicycle", "e-scooter", "motorcycle"):
        lateral = rng.uniform(.4, w + (1.5 if kind == "bicycle" else 0))
    else:
        lateral = (rng.integers(arm.lanes) + .5) * layout.lane_m + rng.normal(0, .25)
        if rng.random() < .08:
            lateral = w + rng.uniform(.2, 1.2)
    lateral = lateral if inbound else -lateral
    p = DIRECTION(arm.yaw_rad) * along + LEFT(arm.yaw_rad) * lateral
    yaw = arm.yaw_rad + (np.pi if inbound else 0) + rng.normal(0, .05)
    if along < 9:
        yaw += rng.uniform(-1.2, 1.2) * (rng.random() < .6)
    return p, yaw


def random_actors(rng: np.random.Generator, layout: Layout, camera: Camera, count: int, clear_of=()) -> list:
    """Up to `count` road users that the camera can see and that do not stand in each other."""
    actors, discs = [], list(clear_of)
    names, shares = list(SHARES), np.array(list(SHARES.values()))
    forward = DIRECTION(camera.yaw_rad)
    for _ in range(count * 6):
        if len(actors) >= count:
            break
        kind = str(rng.choice(names, p=shares / shares.sum()))
        p, yaw = random_pose(rng, layout, kind, camera.position[:2] + forward * rng.uniform(12, 30))
        length, width = FOOTPRINT_M[kind]
        d = DIRECTION(yaw)
        spots = [(p + d * s * (length - width) / 2, width * .62) for s in ((-1, -.5, 0, .5, 1) if length > 1.5 else (0,))]
        if any(np.linalg.norm(a - b) < ra + rb for a, ra in spots for b, rb in discs):
            continue
        if min(forward @ (s - camera.position[:2]) for s, _ in spots) < 5.0:
            continue
        x, y = camera.project(np.array([*p, .5]))
        if not (-40 < x < WIDTH_PX + 40 and 10 < y < HEIGHT_PX + 30):
            continue
        if any(abs(DIRECTION(b.yaw_rad) @ (p - [b.e_m, b.n_m])) < b.length_m / 2 + .5 and abs(LEFT(b.yaw_rad) @ (p - [b.e_m, b.n_m])) < b.depth_m / 2 + .5
               for b in layout.buildings):
            continue
        discs += spots
        extra = {"phase": rng.uniform(0, 2 * np.pi)} if kind in ("person", "bicycle", "animal") else {}
        if kind == "person":
            extra["walking"] = rng.random() < .75
        if kind == "car" and rng.random() < .06:
            extra["hazards"] = True
        actors.append(Actor(len(actors) + 1, kind, BUILDERS[kind](rng, **extra).arrays(), p[0], p[1], yaw, 0.0))
    return actors


assert set(SHARES) == set(CLASSES)
