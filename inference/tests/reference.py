"""Expected detections of YOLOX-Nano on the public street images, as JSON on standard output.

    python reference.py MODEL.onnx IMAGE_FOLDER > golden/yolox_nano_coco_416.json

Shares nothing with the Rust code: OpenCV decodes and resizes, ONNX Runtime's own binding runs the network, OpenCV's
dnn module suppresses doubles within each class. Pre- and post-processing as in the YOLOX repository (Apache-2.0).
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

SIZE, STRIDES, SCORE, IOU = 416, (8, 16, 32), 0.3, 0.5
CLASSES = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 6: "tram", 7: "truck"}
CLASSES |= {index: "animal" for index in range(14, 24)}


def detect(session, path):
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    ratio = min(SIZE / height, SIZE / width)
    resized = cv2.resize(image, (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR)
    padded = np.full((SIZE, SIZE, 3), 114, np.uint8)
    padded[: resized.shape[0], : resized.shape[1]] = resized
    tensor = padded.transpose(2, 0, 1)[None].astype(np.float32)
    (rows,) = session.run(None, {session.get_inputs()[0].name: tensor})[0]

    grid, stride = [], []
    for step in STRIDES:
        side = SIZE // step
        x, y = np.meshgrid(np.arange(side), np.arange(side))
        grid.append(np.stack((x, y), 2).reshape(-1, 2))
        stride.append(np.full((side * side, 1), step))
    grid, stride = np.concatenate(grid), np.concatenate(stride)
    centre, size = (rows[:, :2] + grid) * stride, np.exp(rows[:, 2:4]) * stride
    boxes = np.concatenate((centre - size / 2, size), 1) / ratio
    scores = rows[:, 4:5] * rows[:, 5:]
    label, score = scores.argmax(1), scores.max(1)

    found = []
    for index in sorted(CLASSES):
        chosen = np.flatnonzero((label == index) & (score >= SCORE))
        for keep in cv2.dnn.NMSBoxes(boxes[chosen].tolist(), score[chosen].tolist(), SCORE, IOU):
            x, y, w, h = boxes[chosen[keep]]
            corners = [max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)]
            found.append(
                {
                    "class": CLASSES[index],
                    "score": round(float(score[chosen[keep]]), 5),
                    "box": [round(float(edge), 2) for edge in corners],
                }
            )
    return {"image": path.name, "width": width, "height": height, "detections": found}


def main():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
    images = sorted(path for path in Path(sys.argv[2]).iterdir() if path.suffix in (".jpg", ".png"))
    results = ",\n".join(json.dumps(detect(session, path)) for path in images)
    print(f"[\n{results}\n]")


if __name__ == "__main__":
    main()
