"""Renders training images, test images and the demo clip.

    python render.py dataset --out OUT [--split train|test] [--layouts 48] [--cameras 4] [--frames 16] [--workers 2]
    python render.py demo    --out deploy/demo [--site-only]
    python render.py sheet   --out example.jpg

A data set is a folder of JPEG images and `labels.jsonl`. Same arguments, same pixels, for any number of workers: every image has
its own seed, made of the split, the layout, the camera and the frame.
"""

import argparse
import json
import multiprocessing
from pathlib import Path

import cv2
import numpy as np

import demo
from frame import render
from layouts import daylight, furnish, random_actors, random_camera, random_layout, random_sensor
from scene import Background, Ground

# First entropy word of every seed: test layouts, cameras and light share no seed with the training ones.
SPLITS = {"train": 11, "test": 23}


def seeded(*words) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(words))


def background(split: int, layout_id: int, camera_id: int, ground=None) -> Background:
    """One furnished layout seen by one of its cameras under one light."""
    rng = seeded(split, layout_id)
    layout = random_layout(rng)
    ground = ground or Ground(layout, rng)
    rng = seeded(split, layout_id, camera_id)
    camera = random_camera(rng, layout)
    forward = np.array([np.cos(camera.yaw_rad), np.sin(camera.yaw_rad)])

    def blocks_the_lens(e, n):
        offset = np.array([e, n]) - camera.position[:2]
        return np.hypot(*offset) < 9 or (np.hypot(*offset) < 16 and offset @ forward > .7 * np.hypot(*offset) and rng.random() < .7)

    furnish(layout, rng, blocks_the_lens)
    return Background(layout, camera, daylight(rng), rng, ground)


def render_layout(job):
    """All images of one layout; returns their label lines."""
    cv2.setNumThreads(1)
    out, split, layout_id, cameras, frames = job
    lines, ground = [], None
    for camera_id in range(cameras):
        scene = background(split, layout_id, camera_id, ground)
        ground = scene.ground
        for frame_id in range(frames):
            rng = seeded(split, layout_id, camera_id, frame_id)
            count = 0 if frame_id == 0 else int(rng.integers(6, 20))
            actors = random_actors(rng, scene.layout, scene.camera, count)
            image, labels = render(scene, actors, random_sensor(rng), rng)
            name = f"{layout_id:03d}_{camera_id}_{frame_id:02d}.jpg"
            cv2.imwrite(str(out / name), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))])
            boxes = [{"class": l.kind, "box": [round(v, 1) for v in l.box], "visible": round(l.visible, 3)} for l in labels]
            lines.append(json.dumps({"image": name, "labels": boxes}))
    return lines


def dataset(args):
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    jobs = [(out, SPLITS[args.split], k, args.cameras, args.frames) for k in range(args.layouts)]
    with multiprocessing.Pool(args.workers) as pool, open(out / "labels.jsonl", "w") as file:
        for k, lines in enumerate(pool.imap(render_layout, jobs), start=1):
            file.write("\n".join(lines) + "\n")
            print(f"layout {k}/{args.layouts}", flush=True)


def sheet(args):
    """Four test frames with their labels, as one picture."""
    tiles = []
    for layout_id in (2, 5, 7, 9):
        scene = background(SPLITS["test"], layout_id, 0)
        rng = seeded(SPLITS["test"], layout_id, 0, 1)
        image, labels = render(scene, random_actors(rng, scene.layout, scene.camera, 14), random_sensor(rng), rng)
        image = np.ascontiguousarray(image[..., ::-1])
        for l in labels:
            x1, y1, x2, y2 = (int(v) for v in l.box)
            cv2.rectangle(image, (x1, y1), (x2, y2), (0, 220, 255), 1)
            cv2.putText(image, l.kind, (x1, y1 - 2), cv2.FONT_HERSHEY_SIMPLEX, .35, (0, 220, 255), 1, cv2.LINE_AA)
        tiles.append(image)
    picture = np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])
    cv2.imwrite(args.out, cv2.resize(picture, None, fx=.75, fy=.75, interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, 72])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    p = commands.add_parser("dataset")
    p.add_argument("--out", required=True)
    p.add_argument("--split", choices=SPLITS, default="train")
    p.add_argument("--layouts", type=int, default=48)
    p.add_argument("--cameras", type=int, default=4)
    p.add_argument("--frames", type=int, default=16)
    p.add_argument("--workers", type=int, default=2)
    p.set_defaults(run=dataset)
    p = commands.add_parser("demo")
    p.add_argument("--out", required=True)
    p.add_argument("--site-only", action="store_true", help="write site.toml, leave the clip")
    p.set_defaults(run=lambda args: demo.write(Path(args.out), args.site_only))
    p = commands.add_parser("sheet")
    p.add_argument("--out", default="example.jpg")
    p.set_defaults(run=sheet)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
