"""The shipped detector on real pictures beside YOLOX-Nano: where a detector that saw rendered streets only fails.

    python real_clips.py --model ../../deploy/demo/detector.onnx --data ../../../shared/data/percep --pictures OUT

On the junction clip the boxes of OTVision's detector (YOLOv8-l, trained on this kind of view, thrice the size of a picture's
side more detailed) are the reference: recall and boxes on nothing, whatever a box is called, by its height. On the other
clip and pictures nothing is known, so only what each network reports is counted. `--pictures` writes both networks' boxes
side by side: green is agreed with the reference, red is on nothing, white was missed.
"""

import argparse
import bz2
import json
import pathlib

import cv2
import numpy as np
import onnxruntime

from classes import CLASSES, HEIGHT_PX, WIDTH_PX
from evaluate import MATCH_IOU, SCORE_THRESHOLD, Network, iou, match

SURE = 0.5  # confidence from which a box of the reference counts; weaker ones neither count as missed nor as false
HEIGHTS_PX = ((0, 25), (25, 50), (50, 10_000))
YOLOX_CLASSES = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
RIDDEN = {"bicycle", "motorcycle"}


class Shipped:
    """The shipped detector on a picture of any size, with the letterbox of `detector.toml`."""

    def __init__(self, path):
        self.network = Network(path)

    def __call__(self, frame):
        scale = min(WIDTH_PX / frame.shape[1], HEIGHT_PX / frame.shape[0])
        canvas = letterbox(frame, scale, WIDTH_PX, HEIGHT_PX)
        boxes, classes, _ = self.network(canvas[:, :, ::-1], SCORE_THRESHOLD)
        return boxes / scale, [CLASSES[c] for c in classes]


class YoloxNano:
    """YOLOX-Nano as `deploy/models/yolox-nano-coco.toml` runs it; a rider and what is ridden become one box."""

    SIDE = 416

    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        cells, strides = [], []
        for s in (8, 16, 32):
            ys, xs = np.mgrid[0:self.SIDE // s, 0:self.SIDE // s]
            cells.append(np.stack([xs, ys], -1).reshape(-1, 2))
            strides.append(np.full((xs.size, 1), s))
        self.cells, self.strides = np.concatenate(cells), np.concatenate(strides)

    def __call__(self, frame):
        scale = min(self.SIDE / frame.shape[1], self.SIDE / frame.shape[0])
        canvas = letterbox(frame, scale, self.SIDE, self.SIDE).astype(np.float32)
        name = self.session.get_inputs()[0].name
        out = self.session.run(None, {name: canvas.transpose(2, 0, 1)[None]})[0][0]
        classes, scores = out[:, 5:].argmax(1), out[:, 4] * out[:, 5:].max(1)
        keep = (scores > SCORE_THRESHOLD) & np.isin(classes, list(YOLOX_CLASSES))
        out, classes, scores = out[keep], classes[keep], scores[keep]
        centre, half = (out[:, :2] + self.cells[keep]) * self.strides[keep], np.exp(out[:, 2:4]) * self.strides[keep] / 2
        boxes = np.concatenate([centre - half, centre + half], 1) / scale
        kept, overlap = [], iou(boxes, boxes)
        for k in np.argsort(-scores):
            if not any(overlap[k, j] > 0.5 and classes[k] == classes[j] for j in kept):
                kept.append(k)
        return riders(boxes[kept], [YOLOX_CLASSES[c] for c in classes[kept]])


def letterbox(frame, scale, width, height):
    """The picture in the upper left corner of a grey one."""
    canvas = np.full((height, width, 3), 114, np.uint8)
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    canvas[:size[1], :size[0]] = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
    return canvas


def riders(boxes, names):
    """Joins each ridden vehicle with the person who covers its upper half."""
    gone, joined = set(), boxes.copy()
    for k, name in enumerate(names):
        if name not in RIDDEN:
            continue
        for p, other in enumerate(names):
            middle = (boxes[p][0] + boxes[p][2]) / 2
            if other == "person" and p not in gone and joined[k][0] < middle < joined[k][2] \
                    and boxes[p][1] < joined[k][1] and boxes[p][3] > joined[k][1]:
                joined[k] = np.concatenate([np.minimum(boxes[k][:2], boxes[p][:2]), np.maximum(boxes[k][2:], boxes[p][2:])])
                gone.add(p)
                break
    kept = [k for k in range(len(names)) if k not in gone]
    return joined[kept], [names[k] for k in kept]


def frames(path):
    """Frames of a clip, or the one of a picture."""
    if path.suffix in (".png", ".jpg"):
        yield cv2.imread(str(path))
        return
    clip = cv2.VideoCapture(str(path))
    while True:
        there, frame = clip.read()
        if not there:
            return
        yield frame


def reference(path):
    """Boxes (K, 4) and confidences of each frame of a clip, from OTVision's file; its x and y are the upper left corner."""
    frames_of = json.load(bz2.open(path))["data"]
    for number in sorted(frames_of, key=int):
        found = frames_of[number]["detections"]
        boxes = [[d["x"], d["y"], d["x"] + d["w"], d["y"] + d["h"]] for d in found]
        yield np.array(boxes).reshape(-1, 4), np.array([d["confidence"] for d in found])


def draw(frame, boxes, names, hit, missed):
    picture = frame.copy()
    for box, name, good in zip(boxes, names, hit):
        colour = {True: (80, 200, 80), False: (60, 60, 230), None: (220, 170, 60)}[good]
        cv2.rectangle(picture, box[:2].astype(int).tolist(), box[2:].astype(int).tolist(), colour, 2)
        cv2.putText(picture, name, (int(box[0]), max(int(box[1]) - 3, 10)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1)
    for box in missed:
        cv2.rectangle(picture, box[:2].astype(int).tolist(), box[2:].astype(int).tolist(), (255, 255, 255), 1)
    return picture


def compare(networks, path, reference_path, pictures):
    """Prints one clip's figures; writes its first, middle and last frame with everybody's boxes."""
    stills = list(frames(path))
    truths = list(reference(reference_path)) if reference_path else [None] * len(stills)
    assert len(truths) == len(stills), f"{reference_path}: {len(truths)} frames, {path}: {len(stills)}"
    shown = {0, len(stills) // 2, len(stills) - 1}
    print(f"\n{path.name}, {len(stills)} frames" + (f", reference {reference_path.name}" if reference_path else ""))
    sheets = {k: [] for k in shown}
    for title, network in networks.items():
        found, asked, false, reported = np.zeros(3, int), np.zeros(3, int), 0, {}
        for k, (frame, truth) in enumerate(zip(stills, truths)):
            boxes, names = network(frame)
            for name in names:
                reported[name] = reported.get(name, 0) + 1
            hit, missed = [None] * len(boxes), []
            if truth is not None:
                result = match(boxes, truth[0])
                hit = [bool(m >= 0) for m in result]
                false += hit.count(False)
                sure = truth[1] >= SURE
                heights = truth[0][:, 3] - truth[0][:, 1]
                there = np.isin(np.arange(len(truth[0])), result)
                missed = truth[0][sure & ~there]
                for band, (low, high) in enumerate(HEIGHTS_PX):
                    inside = sure & (heights >= low) & (heights < high)
                    asked[band] += int(inside.sum())
                    found[band] += int((inside & there).sum())
            if k in shown:
                sheets[k].append(draw(frame, boxes, names, hit, missed))
        line = f"  {title:<12}"
        if reference_path:
            line += f"recall {found.sum() / asked.sum():.3f}"
            line += "".join(f", {low}–{high if high < 10_000 else ''} px {f}/{a}" for (low, high), f, a in zip(HEIGHTS_PX, found, asked))
            line += f"; boxes on nothing {false / len(stills):.2f} a frame; "
        print(line + "reports a frame: " + ", ".join(f"{name} {n / len(stills):.2f}" for name, n in sorted(reported.items())))
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        for k, pair in sheets.items():
            cv2.imwrite(str(pictures / f"{path.stem}-{k}.jpg"), np.concatenate(pair, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with video/, images/, otvision/ and models/")
    parser.add_argument("--pictures", type=pathlib.Path)
    args = parser.parse_args()
    networks = {"shipped": Shipped(args.model), "YOLOX-Nano": YoloxNano(args.data / "models/yolox_nano_coco_416.onnx")}
    print(f"score threshold {SCORE_THRESHOLD}, IoU {MATCH_IOU}, reference boxes from confidence {SURE}")
    for path in [*sorted((args.data / "video").glob("*.mp4")), *sorted((args.data / "images").glob("*.jpg"))]:
        known = args.data / "otvision" / f"{path.stem}.otdet"
        compare(networks, path, known if known.exists() else None, args.pictures)


if __name__ == "__main__":
    main()
