"""Measures an exported detector, with ONNX Runtime on one thread.

    python evaluate.py --model deploy/demo/detector.onnx --data DATA/test        # mAP50 and recall, all and at 40 to 60 m
"""

import argparse
from collections import defaultdict

import cv2
import numpy as np
import onnxruntime

from classes import CLASSES, HEIGHT_PX, WIDTH_PX
from data import Images

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


def calibration(judged):
    """How many boxes of each tenth of the score are somebody, whatever they are called."""
    scores, right = np.array([s for s, _ in judged]), np.array([r for _, r in judged], float)
    tenths = [(low / 10, right[(scores >= low / 10) & (scores < (low + 1) / 10)]) for low in range(10)]
    return ", ".join(f"{low:.1f} {part.mean():.0%} of {len(part)}" for low, part in tenths if len(part))


def evaluate_images(network, folder):
    """Too small or too hidden objects neither count as missed nor as false."""
    images = Images(folder)
    hits, scores, counts = defaultdict(list), defaultdict(list), defaultdict(int)
    found, found_any, false = defaultdict(int), defaultdict(int), 0
    far, far_found, judged = defaultdict(int), defaultdict(int), []
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
        result = match(got, boxes)
        spared = iou(got, boxes[ignored]).max(1, initial=0) > .3 if ignored.any() else np.zeros(len(got), bool)
        judged += [(s, m >= 0) for m, free, s in zip(result, spared, got_scores) if (not ignored[m] if m >= 0 else not free)]
        strong = got_scores > SCORE_THRESHOLD
        result = match(got[strong], boxes)
        at_50_m = (np.abs(images.distances(k) - 50) < 10) & ~ignored
        hit = np.isin(np.arange(len(boxes)), result)
        for c in range(len(CLASSES)):
            far[c] += int((at_50_m & (classes == c)).sum())
            far_found[c] += int((at_50_m & (classes == c) & hit).sum())
        for m in result[result >= 0]:
            if not ignored[m]:
                found_any[classes[m]] += 1
        false += int((result < 0).sum())
    print(f"{len(images)} images of {folder}; score threshold {SCORE_THRESHOLD}, IoU {MATCH_IOU}")
    print(f"{'class':<12}{'objects':>8}{'AP50':>8}{'recall':>8}{'recall, any class':>19}{'at 40-60 m':>12}")
    for c, name in enumerate(CLASSES):
        ap = average_precision(hits[c], scores[c], counts[c])
        print(f"{name:<12}{counts[c]:>8}{ap:>8.3f}{found[c] / max(counts[c], 1):>8.3f}{found_any[c] / max(counts[c], 1):>19.3f}{far_found[c] / max(far[c], 1):>12.3f}")
    print("right, by score: " + calibration(judged))
    print(f"mAP50 {np.mean([average_precision(hits[c], scores[c], counts[c]) for c in range(len(CLASSES))]):.3f}, "
          f"boxes on nothing {false / len(images):.2f} an image")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    network = Network(args.model)
    evaluate_images(network, args.data)


if __name__ == "__main__":
    main()
