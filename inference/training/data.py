"""Rendered images with their labels, and the random crops that training sees."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch

from classes import CLASSES

MIN_VISIBLE, MIN_HEIGHT_PX, MIN_AREA_PX2 = 0.25, 8.0, 50.0


class Images:
    """A folder written by `masa sim dataset`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.lines = read_coco(self.folder / "annotations" / "all.json")

    def __len__(self):
        return len(self.lines)

    def distances(self, k):
        """Distance of each label of an image to the camera, metres (T,)."""
        return np.array([l["distance_m"] for l in self.lines[k]["labels"]], np.float32)

    def __getitem__(self, k):
        """RGB image, boxes (T, 4), classes (T,), and whether each is too small or too hidden to be asked for."""
        line = self.lines[k]
        image = cv2.imread(str(self.folder / line["image"]))[..., ::-1]
        labels = line["labels"]
        boxes = np.array([l["box"] for l in labels], np.float32).reshape(-1, 4)
        classes = np.array([CLASSES.index(l["class"]) for l in labels], np.int64)
        size = boxes[:, 2:] - boxes[:, :2]
        hidden = np.array([l["visible"] for l in labels], np.float32).reshape(-1) < MIN_VISIBLE
        return image, boxes, classes, hidden | (size[:, 1] < MIN_HEIGHT_PX) | (size.prod(1) < MIN_AREA_PX2)


def read_coco(path):
    """One line an image, with its labels: class, box as corners, visible share, distance."""
    coco = json.loads(path.read_text())
    # The node's word for what is neither a person, a vehicle nor an animal is "obstacle".
    names = {category["id"]: category["name"].replace("object", "obstacle") for category in coco["categories"]}
    lines = {image["id"]: {"image": f"images/{image['file_name']}", "labels": []} for image in coco["images"]}
    for label in coco["annotations"]:
        x, y, w, h = label["bbox"]
        lines[label["image_id"]]["labels"].append({
            "class": names[label["category_id"]], "box": [x, y, x + w, y + h],
            "visible": label.get("visible", 1.0), "distance_m": label.get("distance_m"),
        })
    return list(lines.values())


def random_crop(image, boxes, classes, ignored, width, height, rng):
    """Random scale, place, mirror and colour; boxes that lose more than 65 % of their area become ignored."""
    scale = float(np.exp(rng.uniform(np.log(.75), np.log(1.35))))
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA)
    boxes = boxes * scale
    h, w = image.shape[:2]
    x0, y0 = int(rng.integers(min(0, w - width), max(0, w - width) + 1)), int(rng.integers(min(0, h - height), max(0, h - height) + 1))
    canvas = np.full((height, width, 3), 114, np.uint8)
    sx, sy, dx, dy = max(x0, 0), max(y0, 0), max(-x0, 0), max(-y0, 0)
    ch, cw = min(h - sy, height - dy), min(w - sx, width - dx)
    canvas[dy:dy + ch, dx:dx + cw] = image[sy:sy + ch, sx:sx + cw]
    full = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    boxes = np.clip(boxes - [x0, y0, x0, y0], 0, [width, height, width, height]).astype(np.float32)
    size = boxes[:, 2:] - boxes[:, :2]
    shown = size.prod(1)
    there = shown > 4
    ignored = ignored | (shown < .35 * full) | (size[:, 1] < MIN_HEIGHT_PX) | (shown < MIN_AREA_PX2)
    if rng.random() < .5:
        canvas = canvas[:, ::-1]
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    pixels = canvas.astype(np.float32)
    grey = cv2.transform(pixels, np.full((1, 3), 1 / 3, np.float32))[..., None]
    pixels = grey + (pixels - grey) * rng.uniform(.6, 1.35)
    pixels = (pixels - 114) * rng.uniform(.75, 1.25) + 114 + rng.uniform(-24, 24)
    pixels = np.clip(pixels * rng.uniform(.93, 1.07, 3).astype(np.float32), 0, 255)
    keep = there & ~ignored
    tensors = (torch.from_numpy(boxes[keep]), torch.from_numpy(classes[keep]), torch.from_numpy(boxes[there & ignored]))
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))), tensors
