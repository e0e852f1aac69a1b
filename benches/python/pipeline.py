"""The peer of `benches/src/bin/pipeline.rs`: what a researcher writes in an afternoon.

OpenCV reads the clip, onnxruntime runs the detector on one thread, supervision's ByteTrack follows the boxes, a
homography puts them on the ground. Plays the clip over and over. Prints one JSON line with stage times and CPU time a
frame in milliseconds and frames per second.

    python pipeline.py CLIP MODEL.onnx [--size 416] [--seconds S]
"""

import argparse
import json
import time

import cv2
import numpy as np
import onnxruntime
import supervision


def letterbox(image, size):
    ratio = min(size / image.shape[0], size / image.shape[1])
    resized = cv2.resize(image, (round(image.shape[1] * ratio), round(image.shape[0] * ratio)))
    padded = np.full((size, size, 3), 114, dtype=np.uint8)
    padded[: resized.shape[0], : resized.shape[1]] = resized
    return np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32), ratio


def grids(size, strides=(8, 16, 32)):
    cells, scale = [], []
    for stride in strides:
        n = size // stride
        x, y = np.meshgrid(np.arange(n), np.arange(n))
        cells.append(np.stack((x, y), 2).reshape(-1, 2))
        scale.append(np.full((n * n, 1), stride))
    return np.concatenate(cells), np.concatenate(scale)


def decode(output, ratio, cells, scale, threshold=0.3, iou=0.5):
    centre = (output[:, :2] + cells) * scale / ratio
    extent = np.exp(output[:, 2:4]) * scale / ratio
    scores = output[:, 4:5] * output[:, 5:]
    classes = scores.argmax(1)
    best = scores.max(1)
    keep = best > threshold
    boxes = np.concatenate((centre - extent / 2, centre + extent / 2), 1)[keep]
    found = supervision.Detections(xyxy=boxes, confidence=best[keep], class_id=classes[keep])
    return found.with_nms(threshold=iou)


STAGES = ("decode", "preprocess", "inference", "postprocess", "track", "georeference")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip")
    parser.add_argument("model")
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    cv2.setNumThreads(1)
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    cells, scale = grids(arguments.size)
    tracker = supervision.ByteTrack(frame_rate=20)
    homography = np.eye(3)

    # Of each measured frame: wall and CPU time of this thread at the begin and after each stage, CPU time of the process.
    frames = []
    capture = cv2.VideoCapture(arguments.clip)
    started = time.perf_counter()
    while time.perf_counter() - started < 1.25 * arguments.seconds:
        process = time.process_time()
        laps = [(time.perf_counter(), time.thread_time())]

        def lap():
            laps.append((time.perf_counter(), time.thread_time()))

        more, image = capture.read()
        if not more:
            # Opening the clip again counts for nobody.
            capture = cv2.VideoCapture(arguments.clip)
            continue
        lap()
        tensor, ratio = letterbox(image, arguments.size)
        lap()
        output = session.run(None, {name: tensor})[0][0]
        lap()
        found = decode(output, ratio, cells, scale)
        lap()
        tracks = tracker.update_with_detections(found)
        lap()
        if len(tracks):
            feet = np.stack(((tracks.xyxy[:, 0] + tracks.xyxy[:, 2]) / 2, tracks.xyxy[:, 3]), 1)
            cv2.perspectiveTransform(feet[None].astype(np.float64), homography)
        lap()
        if laps[0][0] - started >= 0.25 * arguments.seconds:
            frames.append((laps, time.process_time() - process))

    walls, threads = np.moveaxis(np.diff([laps for laps, _ in frames], axis=1), 2, 0) * 1e3
    processes = np.array([process for _, process in frames]) * 1e3
    cpu = dict(zip(STAGES, threads.mean(0)))
    report = {
        "fps": 1e3 / walls.sum(1).mean(),
        "stages_ms": {
            stage: {"p50": np.percentile(times, 50), "p99": np.percentile(times, 99)}
            for stage, times in zip((*STAGES, "frame"), (*walls.T, walls.sum(1)))
        },
        "cpu_ms": {
            # What other threads of the process do is decoding: everything else runs on this one.
            "decode": cpu["decode"] + processes.mean() - threads.sum(1).mean(),
            "detect": cpu["preprocess"] + cpu["inference"] + cpu["postprocess"],
            "inference": cpu["inference"],
            "track": cpu["track"] + cpu["georeference"],
            "whole": processes.mean(),
        },
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
