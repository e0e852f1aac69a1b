"""Measures an exported detector, with ONNX Runtime on one thread.

    python evaluate.py --model deploy/demo/detector.onnx --data DATA/test        # mAP50 and recall on held-out layouts
    python evaluate.py --model deploy/demo/detector.onnx --demo deploy/demo      # the demo clip against its ground truth
"""

import argparse
import json
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

import story
from camera import HEIGHT_PX, WIDTH_PX
from data import Images
from demo import to_enu
from classes import CLASSES

SCORE_THRESHOLD, NMS_IOU, MATCH_IOU = 0.3, 0.5, 0.5


def iou(a, b):
    """IoU of boxes (M, 4) with boxes (N, 4)."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(-1)
    area = lambda x: (x[:, 2:] - x[:, :2]).prod(-1)
    return overlap / (area(a)[:, None] + area(b)[None] - overlap + 1e-9)


class Network:
    """The exported model with YOLOX decoding and suppression among all classes, as `detector.toml` asks for."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        cells, strides = [], []
        for s in (8, 16, 32):
            ys, xs = np.mgrid[0:HEIGHT_PX // s, 0:WIDTH_PX // s]
            cells.append(np.stack([xs, ys], -1).reshape(-1, 2))
            strides.append(np.full((xs.size, 1), s))
        self.cells, self.strides = np.concatenate(cells), np.concatenate(strides)

    def __call__(self, image, threshold):
        """Boxes (K, 4), classes (K,), scores (K,), best first, of an RGB image."""
        out = self.session.run(None, {"images": image.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
        scores = out[:, 4] * out[:, 5:].max(1)
        keep = scores > threshold
        out, scores, cells, strides = out[keep], scores[keep], self.cells[keep], self.strides[keep]
        classes = out[:, 5:].argmax(1) if len(out) else np.zeros(0, int)
        centre, half = (out[:, :2] + cells) * strides, np.exp(out[:, 2:4]) * strides / 2
        boxes = np.clip(np.concatenate([centre - half, centre + half], 1), 0, [WIDTH_PX, HEIGHT_PX, WIDTH_PX, HEIGHT_PX])
        order, kept = np.argsort(-scores), []
        overlap = iou(boxes, boxes)
        for k in order:
            if not any(overlap[k, j] > NMS_IOU for j in kept):
                kept.append(k)
        return boxes[kept], classes[kept], scores[kept]


def match(boxes, truth):
    """Greedy one-to-one matches at `MATCH_IOU`: for each box the truth's index or −1."""
    result, free = np.full(len(boxes), -1), np.ones(len(truth), bool)
    if len(truth) == 0:
        return result
    overlap = iou(boxes, truth)
    for k in range(len(boxes)):
        best = np.argmax(np.where(free, overlap[k], -1))
        if free[best] and overlap[k, best] >= MATCH_IOU:
            result[k], free[best] = best, False
    return result


def average_precision(hits, scores, count):
    """Area under the interpolated precision–recall curve."""
    order = np.argsort(-np.asarray(scores))
    hit = np.asarray(hits, float)[order]
    recall, precision = np.cumsum(hit) / max(count, 1), np.cumsum(hit) / np.arange(1, len(hit) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0], recall])) * precision))


def evaluate_images(network, folder):
    """Too small or too hidden objects neither count as missed nor as false."""
    images = Images(folder)
    hits, scores, counts = defaultdict(list), defaultdict(list), defaultdict(int)
    found, found_any, false = defaultdict(int), defaultdict(int), 0
    for k in range(len(images)):
        image, boxes, classes, ignored = images[k]
        got, got_classes, got_scores = network(image, 0.02)
        for c in range(len(CLASSES)):
            mine, truth = got_classes == c, (classes == c) & ~ignored
            counts[c] += int(truth.sum())
            result = match(got[mine], boxes[truth])
            spared = iou(got[mine], boxes[ignored]).max(1, initial=0) > .3 if ignored.any() else np.zeros(mine.sum(), bool)
            for m, free, s in zip(result, spared, got_scores[mine]):
                if m >= 0 or not free:
                    hits[c].append(m >= 0)
                    scores[c].append(s)
            strong = got_scores[mine] > SCORE_THRESHOLD
            found[c] += int((result[strong] >= 0).sum())
        strong = got_scores > SCORE_THRESHOLD
        result = match(got[strong], boxes)
        for m in result[result >= 0]:
            if not ignored[m]:
                found_any[classes[m]] += 1
        false += int((result < 0).sum())
    print(f"{len(images)} images of {folder}; score threshold {SCORE_THRESHOLD}, IoU {MATCH_IOU}")
    print(f"{'class':<12}{'objects':>8}{'AP50':>8}{'recall':>8}{'recall, any class':>19}")
    for c, name in enumerate(CLASSES):
        ap = average_precision(hits[c], scores[c], counts[c])
        print(f"{name:<12}{counts[c]:>8}{ap:>8.3f}{found[c] / max(counts[c], 1):>8.3f}{found_any[c] / max(counts[c], 1):>19.3f}")
    print(f"mAP50 {np.mean([average_precision(hits[c], scores[c], counts[c]) for c in range(len(CLASSES))]):.3f}, "
          f"boxes on nothing {false / len(images):.2f} an image")


def site_mapping(path):
    """Pixel to ground ENU by the homography through the site file's reference points."""
    points = tomllib.loads(path.read_text())["camera"][0]["georeference"]["point"]
    ground = [to_enu(p["ground"]["wgs84"]["latitude-deg"], p["ground"]["wgs84"]["longitude-deg"]) for p in points]
    matrix, _ = cv2.findHomography(np.array([p["pixel"] for p in points]), np.array(ground))
    return lambda pixel: cv2.perspectiveTransform(np.array([[pixel]], float), matrix)[0, 0]


def evaluate_demo(network, folder):
    """Per object of the clip: share of its visible frames in which it is found, longest gap, class, position error."""
    names = {r.id: r.name for r in story.ROLES}
    to_ground = site_mapping(folder / "site.toml")
    video = cv2.VideoCapture(str(folder / "junction.mp4"))
    seen, found, gaps, classes, errors, shifts, scores = (defaultdict(list) for _ in range(7))
    false, doubles, frames = [], 0, 0
    for line in open(folder / "truth.jsonl"):
        truth = json.loads(line)
        ok, image = video.read()
        if not ok:
            raise SystemExit(f"the clip ends before frame {truth['frame']}")
        frames += 1
        boxes, kinds, confidence = network(image[..., ::-1], SCORE_THRESHOLD)
        objects = truth["objects"]
        true_boxes = np.array([o["box"] for o in objects]).reshape(-1, 4)
        result = match(boxes, true_boxes)
        for k, m in enumerate(result):
            if m < 0:
                near = iou(boxes[k:k + 1], true_boxes).max(initial=0)
                doubles += near > .3
                if near <= .3:
                    false.append((truth["t_s"], CLASSES[kinds[k]], round(float(confidence[k]), 2), boxes[k].round().astype(int).tolist()))
        for j, o in enumerate(objects):
            x1, y1, x2, y2 = o["box"]
            if o["visible"] < .5 or y2 - y1 < 12 or min(x1, WIDTH_PX - x2, HEIGHT_PX - y2) < 1:
                continue
            hit = np.flatnonzero(result == j)
            seen[o["id"]].append(truth["t_s"])
            found[o["id"]].append(len(hit) > 0)
            if len(hit):
                k = hit[0]
                classes[o["id"]].append(CLASSES[kinds[k]])
                scores[o["id"]].append(confidence[k])
                contact = to_ground([(boxes[k, 0] + boxes[k, 2]) / 2, boxes[k, 3]])
                exact = story.CAMERA.to_ground(np.array([(x1 + x2) / 2, y2]))
                errors[o["id"]].append(np.hypot(contact[0] - o["e_m"], contact[1] - o["n_m"]))
                shifts[o["id"]].append(np.hypot(*(contact - exact)))
    if video.read()[0]:
        raise SystemExit("the clip is longer than its truth")
    print(f"{frames} frames; objects at least half visible, 12 px high and wholly in the picture")
    print(f"{'object':<46}{'frames':>7}{'found':>7}{'longest gap':>12}{'score':>7}{'to centre m':>12}{'to contact m':>13}  called")
    for k in sorted(seen):
        run = longest = 0
        for hit in found[k]:
            run = 0 if hit else run + 1
            longest = max(longest, run)
        called = ", ".join(f"{name} {count / len(classes[k]):.0%}" for name, count in Counter(classes[k]).most_common(3))
        print(f"{names[k]:<46}{len(seen[k]):>7}{np.mean(found[k]):>7.3f}{longest:>12}{np.mean(scores[k]):>7.2f}"
              f"{np.median(errors[k]):>12.2f}{np.median(shifts[k]):>13.2f}  {called}")
    every = [x for k in errors for x in errors[k]]
    print(f"found {np.mean([h for k in found for h in found[k]]):.3f}; median position error to the centre {np.median(every):.2f} m, "
          f"to the true contact point {np.median([x for k in shifts for x in shifts[k]]):.2f} m; "
          f"boxes on nothing {len(false)}, second boxes {doubles}, in {frames} frames")
    for f in false[:20]:
        print("  nothing there:", *f)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data")
    parser.add_argument("--demo")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    network = Network(args.model)
    if args.data:
        evaluate_images(network, args.data)
    if args.demo:
        evaluate_demo(network, Path(args.demo))


if __name__ == "__main__":
    main()
