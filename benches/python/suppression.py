"""The peers of `benches/src/bin/suppression.rs`: suppression by OpenCV and by supervision, within each class.

Both are given the best 1,024 boxes, ours ranks them itself. Prints of each the least time of many calls, microseconds, and which
boxes stay, best first.

    python suppression.py SCENE.json
"""

import json
import sys
import time

import cv2
import numpy as np
import supervision

IOU = 0.5
MOST = 1024


def least_us(call):
    call()
    times = []
    for _ in range(50):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times) * 1e6


def main():
    cv2.setNumThreads(1)
    scene = json.load(open(sys.argv[1]))
    corners = np.array([corners for corners, _, _ in scene], dtype=np.float32)
    classes = np.array([index for _, index, _ in scene], dtype=np.int32)
    scores = np.array([score for _, _, score in scene], dtype=np.float32)
    order = np.argsort(-scores, kind="stable")[:MOST]
    corners, classes, scores = corners[order], classes[order], scores[order]
    boxes = np.concatenate((corners[:, :2], corners[:, 2:] - corners[:, :2]), 1).astype(np.float64)
    found = supervision.Detections(xyxy=corners, confidence=scores, class_id=classes)

    def opencv():
        return cv2.dnn.NMSBoxesBatched(boxes, scores, classes, 0.0, IOU)

    stay = sorted(int(index) for index in opencv())
    best_first = found.with_nms(threshold=IOU)
    places = {tuple(box): index for index, box in enumerate(corners.tolist())}
    theirs = sorted(places[tuple(box)] for box in best_first.xyxy.tolist())
    report = {
        "OpenCV": (least_us(opencv), [int(order[index]) for index in stay]),
        "supervision": (least_us(lambda: found.with_nms(threshold=IOU)), [int(order[index]) for index in theirs]),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
