"""Trackers without appearance on the same detections: SORT, ByteTrack, OC-SORT, BoT-SORT, C-BIoU and `masa track`.

    python compare.py --data MOT_FOLDER --masa target/release/masa [--check] [--only NAME,...]

In: a folder with MOTChallenge sequences (`*/gt/gt.txt`, `det/det.txt`, `seqinfo.ini`) and KITTI's tracking labels with car
detections (`kitti/gt/label_02/NNNN.txt`, `kitti/det_car/NNNN.txt` as MOTChallenge text). Out: HOTA, MOTA, IDF1, switches
and microseconds per frame of every tracker on every set.

The peers are those of PyPI `trackers`, with their defaults and the sequence's frame rate; camera motion is off, for there
are no images. All trackers work online: what a frame's detections gave is written before the next frame is read. MOTChallenge
sequences are scored with every box of the truth, KITTI by its own protocol as TrackEval has it. Of `masa track` the time is
what it says itself of its updates. `--check` lets `motmetrics` score the same overlaps. Options that are not known here go
to `masa track`.
"""

import argparse
import configparser
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
from trackeval import datasets, metrics

KITTI_FPS = 10.0
# What `masa track` is tuned on; every other sequence is held out.
TUNED_ON = {"TUD-Stadtmitte"} | {f"{i:04d}" for i in range(0, 21, 2)}

PEERS = {
    "SORT": lambda trackers, fps: trackers.SORTTracker(frame_rate=fps),
    "ByteTrack": lambda trackers, fps: trackers.ByteTrackTracker(frame_rate=fps),
    "OC-SORT": lambda trackers, fps: trackers.OCSORTTracker(frame_rate=fps),
    "BoT-SORT": lambda trackers, fps: trackers.BoTSORTTracker(frame_rate=fps, enable_cmc=False),
    "C-BIoU": lambda trackers, fps: trackers.CBIoUTracker(frame_rate=fps),
}


class Sequence:
    """One sequence: the class of its detections, these by frame as arrays of x, y, width, height and score, and the truth."""

    def __init__(self, name, kind, det_file, truth, frames, fps):
        self.name, self.kind, self.det_file, self.frames, self.fps = name, kind, det_file, frames, fps
        self.truth = truth
        rows = np.loadtxt(det_file, delimiter=",", ndmin=2)
        self.detections = [rows[rows[:, 0] == f][:, 2:7] for f in range(1, frames + 1)]


def by_frame(rows, frames):
    """Rows `frame, id, x, y, w, h` to a list of (ids, boxes), ids renumbered from 0."""
    rows = np.asarray(rows, dtype=float).reshape(-1, 6)
    names, ids = np.unique(rows[:, 1], return_inverse=True)
    of_frame = [rows[:, 0] == f for f in range(1, frames + 1)]
    return [(ids[m], rows[m, 2:6]) for m in of_frame], len(names)


def mot_sequences(folder):
    for ini in sorted(folder.glob("*/seqinfo.ini")):
        info = configparser.ConfigParser()
        info.read(ini)
        frames, fps = int(info["Sequence"]["seqLength"]), float(info["Sequence"]["frameRate"])
        rows = np.loadtxt(ini.parent / "gt" / "gt.txt", delimiter=",", ndmin=2)
        rows = rows[rows[:, 6] != 0][:, :6]
        yield Sequence(ini.parent.name, "person", ini.parent / "det" / "det.txt", by_frame(rows, frames), frames, fps)


def kitti_sequences(folder):
    lengths = {}
    for line in (folder / "gt" / "evaluate_tracking.seqmap.training").read_text().splitlines():
        name, _, first, last = line.split()
        lengths[name] = int(last) - int(first)
    for det_file in sorted((folder / "det_car").glob("*.txt")):
        name = det_file.stem
        yield Sequence(name, "car", det_file, folder / "gt" / "label_02" / f"{name}.txt", lengths[name], KITTI_FPS)


def run_peer(make, sequence):
    """Rows of the tracker and the seconds its updates took."""
    # Here, so that who only asks for `masa` needs neither.
    import supervision
    import trackers

    tracker, rows, seconds = make(trackers, sequence.fps), [], 0.0
    for frame, d in enumerate(sequence.detections, 1):
        xyxy = np.hstack((d[:, :2], d[:, :2] + d[:, 2:4]))
        detections = supervision.Detections(xyxy=xyxy, confidence=d[:, 4], class_id=np.zeros(len(d), dtype=int))
        began = time.perf_counter()
        out = tracker.update(detections)
        seconds += time.perf_counter() - began
        for (x1, y1, x2, y2), identity in zip(out.xyxy, out.tracker_id):
            if identity >= 0:
                rows.append([frame, identity, x1, y1, x2 - x1, y2 - y1])
    return rows, seconds


def run_masa(masa, sequence, extra):
    """Rows of `masa track` and the seconds that it says its updates took."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "tracks.txt"
        command = [masa, "track", "--detections", sequence.det_file, "--class", sequence.kind]
        command += ["--fps", str(sequence.fps), "--output", output, *extra]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        per_frame_us = float(re.search(r"([0-9.]+) µs per frame", done.stderr)[1])
        rows = np.loadtxt(output, delimiter=",", ndmin=2).reshape(-1, 10)[:, :6]
    return rows[rows[:, 0] <= sequence.frames], per_frame_us * 1e-6 * sequence.frames


def iou(a, b):
    """IoU of boxes x, y, w, h: len(a) × len(b)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    return both / (np.prod(a[:, 2:], 1)[:, None] + np.prod(b[:, 2:], 1)[None] - both)


def mot_data(sequence, rows):
    """What TrackEval's metrics need of a MOTChallenge sequence: every box of truth and tracker."""
    (truth, truth_ids), (tracked, tracked_ids) = sequence.truth, by_frame(rows, sequence.frames)
    return {
        "num_timesteps": sequence.frames,
        "num_gt_ids": truth_ids,
        "num_tracker_ids": tracked_ids,
        "num_gt_dets": sum(len(ids) for ids, _ in truth),
        "num_tracker_dets": sum(len(ids) for ids, _ in tracked),
        "gt_ids": [ids for ids, _ in truth],
        "tracker_ids": [ids for ids, _ in tracked],
        "similarity_scores": [iou(t, o) for (_, t), (_, o) in zip(truth, tracked)],
    }


def kitti_data(sequence, rows):
    """The same of a KITTI sequence by KITTI's own protocol, which TrackEval implements for folders of files."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "label_02").mkdir()
        (folder / "data").mkdir()
        (folder / "label_02" / f"{sequence.name}.txt").symlink_to(sequence.truth.resolve())
        seqmap = f"{sequence.name} empty 000000 {sequence.frames:06d}\n"
        (folder / "evaluate_tracking.seqmap.training").write_text(seqmap)
        lines = [
            f"{int(f) - 1} {int(i)} Car -1 -1 -10 {x} {y} {x + w} {y + h} -1 -1 -1 -1000 -1000 -1000 -10 1"
            for f, i, x, y, w, h in rows
        ]
        (folder / "data" / f"{sequence.name}.txt").write_text("\n".join(lines) + "\n")
        dataset = datasets.Kitti2DBox({
            "GT_FOLDER": str(folder), "TRACKERS_FOLDER": str(folder), "TRACKERS_TO_EVAL": [""],
            "CLASSES_TO_EVAL": ["car"], "PRINT_CONFIG": False,
        })
        return dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("", sequence.name), "car")


quiet = {"PRINT_CONFIG": False}
METRICS = [metrics.HOTA(), metrics.CLEAR(quiet), metrics.Identity(quiet)]


def combine(data):
    """HOTA, DetA, AssA, MOTA, IDF1 in per cent and switches, of the sequences of a set together."""
    results = {i: [metric.eval_sequence(d) for metric in METRICS] for i, d in enumerate(data)}
    hota, clear, identity = [
        metric.combine_sequences({name: r[i] for name, r in results.items()}) for i, metric in enumerate(METRICS)
    ]
    percent = [np.mean(hota["HOTA"]), np.mean(hota["DetA"]), np.mean(hota["AssA"]), clear["MOTA"], identity["IDF1"]]
    return [100 * float(v) for v in percent] + [int(clear["IDSW"])]


def check(data, figures):
    """Says what motmetrics makes of the same matrices of overlaps."""
    import motmetrics

    accumulators = []
    for d in data:
        accumulator = motmetrics.MOTAccumulator(auto_id=True)
        for ids, out_ids, overlap in zip(d["gt_ids"], d["tracker_ids"], d["similarity_scores"]):
            accumulator.update(ids, out_ids, np.where(overlap < 0.5, np.nan, 1 - overlap))
        accumulators.append(accumulator)
    summary = motmetrics.metrics.create().compute_many(
        accumulators, metrics=["mota", "idf1", "num_switches"], generate_overall=True
    ).loc["OVERALL"]
    theirs = f"{100 * summary.mota:.1f}/{100 * summary.idf1:.1f}/{int(summary.num_switches)}"
    print(f"{'':>10} motmetrics MOTA/IDF1/switches {theirs}, TrackEval {figures[3]:.1f}/{figures[4]:.1f}/{figures[5]}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--masa", default="masa")
    arguments.add_argument("--only", help="names of trackers, comma-separated")
    arguments.add_argument("--check", action="store_true")
    options, extra = arguments.parse_known_args()

    runs = {name: lambda s, make=make: run_peer(make, s) for name, make in PEERS.items()}
    runs["masa"] = lambda s: run_masa(options.masa, s, extra)
    if options.only:
        runs = {name: run for name, run in runs.items() if name in options.only.split(",")}

    sets = {"TUD (persons)": (mot_data, list(mot_sequences(options.data)))}
    if (options.data / "kitti").exists():
        sets["KITTI (cars)"] = (kitti_data, list(kitti_sequences(options.data / "kitti")))
    for name, (data_of, sequences) in sets.items():
        done = {tracker: {s.name: run(s) for s in sequences} for tracker, run in runs.items()}
        data = {t: {s.name: data_of(s, done[t][s.name][0]) for s in sequences} for t in done}
        parts = {"all": sequences}
        tuned = [s for s in sequences if s.name in TUNED_ON]
        if tuned and len(tuned) < len(sequences):
            parts |= {"tuned on": tuned, "held out": [s for s in sequences if s.name not in TUNED_ON]}
        for part, chosen in parts.items():
            print(f"{name}, {part}: {', '.join(s.name for s in chosen)}")
            print(f"{'':>10}   HOTA   DetA   AssA   MOTA   IDF1 switches  us/frame  to ByteTrack")
            us = {t: 1e6 * sum(done[t][s.name][1] for s in chosen) / sum(s.frames for s in chosen) for t in done}
            for tracker in done:
                figures = combine([data[tracker][s.name] for s in chosen])
                cells = " ".join(f"{v:6.1f}" for v in figures[:5])
                ratio = f"{us['ByteTrack'] / us[tracker]:11.1f} x" if "ByteTrack" in us else ""
                print(f"{tracker:>10} {cells} {figures[5]:>8} {us[tracker]:9.1f} {ratio}")
                if options.check:
                    check([data[tracker][s.name] for s in chosen], figures)
            print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
