"""The peer of `benches/src/bin/resize.rs`: OpenCV's resize on one thread.

Prints the least time of many calls, microseconds, and the mean and greatest difference of its bytes from ours.

    python resize.py PICTURE OURS FROM_WIDTH FROM_HEIGHT TO_WIDTH TO_HEIGHT
"""

import json
import sys
import time

import cv2
import numpy as np

CALLS = 200


def main():
    cv2.setNumThreads(1)
    picture, ours = (np.fromfile(path, dtype=np.uint8) for path in sys.argv[1:3])
    from_width, from_height, to_width, to_height = map(int, sys.argv[3:])
    picture = picture.reshape(from_height, from_width, 3)
    target = np.empty((to_height, to_width, 3), dtype=np.uint8)
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        cv2.resize(picture, (to_width, to_height), target, interpolation=cv2.INTER_LINEAR)
        times.append(time.perf_counter() - started)
    difference = np.abs(target.astype(int) - ours.reshape(target.shape))
    report = {"us": min(times) * 1e6, "difference": (float(difference.mean()), int(difference.max()))}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
