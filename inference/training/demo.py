"""Writes what the demo ships: the clip, its ground truth and its site, all from `story.py`.

Site file and truth come from the same camera that renders, so they agree to the digit.
"""

import json
import subprocess
from pathlib import Path

import numpy as np

import story
from camera import HEIGHT_PX, WIDTH_PX
from frame import render

ORIGIN = (44.655540, 10.934315, 34.0)
WGS84_A_M, WGS84_E2 = 6378137.0, (2 - 1 / 298.257223563) / 298.257223563


def earth_centred(lat, lon, alt):
    """Earth-centred coordinates (m) of a position in radians and metres."""
    normal = WGS84_A_M / np.sqrt(1 - WGS84_E2 * np.sin(lat) ** 2)
    return np.array([(normal + alt) * np.cos(lat) * np.cos(lon), (normal + alt) * np.cos(lat) * np.sin(lon), (normal * (1 - WGS84_E2) + alt) * np.sin(lat)])


def tangent_plane():
    """Earth-centred origin, and its east, north and up axes as rows."""
    lat, lon = np.radians(ORIGIN[0]), np.radians(ORIGIN[1])
    axes = [[-np.sin(lon), np.cos(lon), 0], [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)],
            [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]]
    return earth_centred(lat, lon, ORIGIN[2]), np.array(axes)


def to_wgs84(e, n):
    """Latitude and longitude (degrees) of a point on the tangent plane at `ORIGIN`."""
    base, axes = tangent_plane()
    x, y, z = base + np.array([e, n, 0.0]) @ axes
    axis = np.hypot(x, y)
    latitude = np.arctan2(z, axis * (1 - WGS84_E2))
    for _ in range(6):
        normal = WGS84_A_M / np.sqrt(1 - WGS84_E2 * np.sin(latitude) ** 2)
        latitude = np.arctan2(z + WGS84_E2 * normal * np.sin(latitude), axis)
    return float(np.degrees(latitude)), float(np.degrees(np.arctan2(y, x)))


def to_enu(latitude_deg, longitude_deg):
    """East and north (m) of a position at the origin's height."""
    base, axes = tangent_plane()
    return (axes @ (earth_centred(np.radians(latitude_deg), np.radians(longitude_deg), ORIGIN[2]) - base))[:2]


def encoder(path: Path):
    """ffmpeg reading raw RGB frames: H.264 baseline without B-frames, a key frame every two seconds."""
    size = f"{WIDTH_PX}x{HEIGHT_PX}"
    return subprocess.Popen(
        ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(story.RATE_HZ), "-i", "-", "-c:v", "libx264",
         "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-bf", "0", "-g", "20", "-crf", "24", "-preset", "veryslow", "-threads", "1", "-colorspace", "smpte170m",
         "-color_range", "tv", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart", str(path)], stdin=subprocess.PIPE)


def label_line(label):
    return {"id": label.id, "class": label.kind, "box": [round(v, 1) for v in label.box], "visible": round(label.visible, 3), "e_m": round(float(label.e_m), 3),
            "n_m": round(float(label.n_m), 3), "yaw_rad": round(float(label.yaw_rad), 4), "speed_mps": round(label.speed_mps, 3)}


def write(out: Path, site_only=False):
    """`site.toml`, and unless `site_only` `junction.mp4` and `truth.jsonl` (one line a frame)."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "site.toml").write_text(site())
    if site_only:
        return
    scene, cast = story.background(), story.Cast()
    video = encoder(out / "junction.mp4")
    with open(out / "truth.jsonl", "w") as truth:
        for k in range(int(story.PERIOD_S * story.RATE_HZ)):
            t = k / story.RATE_HZ
            image, labels = render(scene, cast.at(t), story.SENSOR, np.random.default_rng([story.SEED, k]))
            video.stdin.write(image.tobytes())
            truth.write(json.dumps({"frame": k, "t_s": t, "objects": [label_line(l) for l in sorted(labels, key=lambda l: l.id)]}) + "\n")
    video.stdin.close()
    if video.wait() != 0:
        raise SystemExit("ffmpeg failed")


def reference_points():
    """Pixels over the whole ground in view, up to 90 m away, and where they lie."""
    points = []
    for v in (104.0, 116.0, 136.0, 172.0, 232.0, 300.0, 383.0):
        for u in (1.0, 214.0, 426.0, 639.0):
            e, n = story.CAMERA.to_ground(np.array([u, v]))
            points.append((u, v, *to_wgs84(e, n)))
    return points


def fillet(sign):
    """The rounded kerb between the main road and the side road, on the east (+1) or the west (−1)."""
    w, r = story.HALF_ROAD_M, story.CORNER_M
    angles = np.linspace(np.pi, 1.5 * np.pi, 7)
    arc = [(sign * (w + r + r * np.cos(a)), w + r + r * np.sin(a)) for a in angles]
    return [(sign * w, w)] + arc


def zones():
    w, p, reach, r = story.HALF_ROAD_M, 3.2, 95.0, story.CORNER_M
    e, n, _, length, width = story.BAY
    z = story.ZEBRA_AT_M
    box = lambda west, south, east, north: [(west, south), (east, south), (east, north), (west, north)]
    corner = w + r
    return [("main-road", "carriageway", box(-40, -w, reach, w)), ("side-road", "carriageway", box(-w, w - .5, w, 70)),
            ("corner-east", "carriageway", fillet(1)), ("corner-west", "carriageway", fillet(-1)),
            ("zebra", "crossing", box(z - 1.9, -w, z + 1.9, w)), ("bay", "parking", box(e - length / 2, n - width / 2, e + length / 2, n + width / 2)),
            ("pavement-south", "pavement", box(-40, -w - p, reach, -w)), ("pavement-north-east", "pavement", box(corner, w, reach, w + p)),
            ("pavement-north-west", "pavement", box(-40, w, -corner, w + p)), ("pavement-side-east", "pavement", box(w, corner, w + p, 70)),
            ("pavement-side-west", "pavement", box(-w - p, corner, -w, 70))]


def site():
    points = "\n".join(f"    {{ pixel = [{u:.1f}, {v:.1f}], ground = {{ wgs84 = {{ latitude-deg = {lat:.8f}, longitude-deg = {lon:.8f} }} }} }},"
                       for u, v, lat, lon in reference_points())
    text = f"""# Written by inference/training/render.py from the camera that renders the clip: do not edit.

[site]
id = "demo"
name = "Demo junction"

[origin]
latitude-deg = {ORIGIN[0]:.6f}
longitude-deg = {ORIGIN[1]:.6f}
altitude-m = {ORIGIN[2]:.1f}

[[camera]]
id = "north"
image-size-px = [{WIDTH_PX}, {HEIGHT_PX}]
contact-point = "bottom-centre"
pixel-noise-px = 2.0

[camera.georeference]
kind = "reference-points"
survey-sigma-m = 0.05
point = [
{points}
]
"""
    for name, kind, polygon in zones():
        corners = ", ".join(f"[{e:.2f}, {n:.2f}]" for e, n in polygon)
        text += f'\n[[zone]]\nid = "{name}"\nkind = "{kind}"\npolygon-m = [{corners}]\n'
    return text
