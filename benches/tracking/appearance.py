"""What appearance adds to the tracker: `masa track` without and with it on the same detections and pictures.

    masa sim sequences benches/tracking/low-report.toml --output FOLDER
    python appearance.py --data FOLDER --masa target/release/masa

In: a folder of sequences as `masa sim sequences` writes them (`*/img1`, `gt/gt.txt`, `det/det.txt` in KITTI's lines, `seqinfo.ini`).
Out: HOTA, AssA, MOTA, IDF1 and switches of each policy, of all sequences and of each, and of road users by kind. Scores are
those of `compare.py`, which this file takes its functions from.

The truth is everybody who shows by a quarter or more. A pair of boxes counts from an IoU of 0.5 in MOTA and IDF1.
"""

import argparse
import configparser
import pathlib
import subprocess
import tempfile

import numpy as np
from compare import Sequence, by_frame, combine, mot_data

# What the node's camera has, and what differs.
NODE = 'even-score = 0.1\nbirth = "sure-once"\nriders = "merge"\n'
POLICIES = {
    "off": "",
    "tie-break": 'appearance = { policy = "tie-break", descriptor = "colour-layout" }\n',
    "re-identify": 'appearance = { policy = "re-identify", descriptor = "colour-layout" }\n',
}
# Classes of MOT16 and types of KITTI by kind.
KINDS = {
    "people": ({1}, {"Pedestrian"}),
    "vehicles": ({3, 6}, {"Car", "Van", "Truck", "Tram"}),
}


def sequence(ini):
    info = configparser.ConfigParser()
    info.read(ini)
    info = info["Sequence"]
    rows = np.loadtxt(ini.parent / "gt" / "gt.txt", delimiter=",", ndmin=2)
    size = f"{info['imWidth']}x{info['imHeight']}"
    return ini.parent, int(info["seqLength"]), float(info["frameRate"]), size, rows[rows[:, 6] != 0]


def track(masa, folder, fps, size, policy, extra):
    """Rows `frame, id, x, y, w, h` with frames from 1, and the type of each."""
    with tempfile.TemporaryDirectory() as made:
        settings, output = pathlib.Path(made) / "tracker.toml", pathlib.Path(made) / "tracks.txt"
        settings.write_text(NODE + policy)
        command = [masa, "track", "--format", "kitti", "--detections", folder / "det" / "det.txt", "--fps", str(fps)]
        command += ["--image-size", size, "--settings", settings, "--output", output, "--pictures", folder / "img1", *extra]
        subprocess.run(command, capture_output=True, text=True, check=True)
        lines = [line.split() for line in output.read_text().splitlines()]
    boxes = np.array([[float(v) for v in line[6:10]] for line in lines]).reshape(-1, 4)
    numbers = np.array([[int(line[0]) + 1, int(line[1])] for line in lines]).reshape(-1, 2)
    return np.hstack((numbers, boxes[:, :2], boxes[:, 2:] - boxes[:, :2])), np.array([line[2] for line in lines])


def figures(pairs):
    """Scores of (truth rows, tracker rows, frames) of some sequences together."""
    data = []
    for index, (truth, tracked, frames) in enumerate(pairs):
        made = Sequence.__new__(Sequence)
        made.name, made.frames, made.truth = str(index), frames, by_frame(truth[:, :6], frames)
        data.append(mot_data(made, tracked))
    return combine(data)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--masa", default="masa")
    arguments.add_argument("--each", action="store_true", help="also each sequence by itself")
    options, extra = arguments.parse_known_args()
    sequences = [sequence(ini) for ini in sorted(options.data.glob("**/seqinfo.ini"))]
    done = {
        name: [track(options.masa, folder, fps, size, policy, extra) for folder, _, fps, size, _ in sequences]
        for name, policy in POLICIES.items()
    }

    def table(title, places, truth_of, tracked_of):
        print(f"{title}\n{'':>12}   HOTA   AssA   MOTA   IDF1 switches  tracks")
        for name, tracks in done.items():
            pairs = [(truth_of(sequences[i][4]), tracked_of(*tracks[i]), sequences[i][1]) for i in places]
            hota, _, assa, mota, idf1, switches = figures(pairs)
            count = sum(len(np.unique(rows[:, 1])) for _, rows, _ in pairs)
            print(f"{name:>12} {hota:6.1f} {assa:6.1f} {mota:6.1f} {idf1:6.1f} {switches:>8} {count:>7}")
        truths = [sequences[i][4] for i in places]
        print(f"{'truth':>12} {sum(len(np.unique(truth_of(t)[:, 1])) for t in truths):>44}\n")

    everything = list(range(len(sequences)))
    table("everybody", everything, lambda truth: truth, lambda rows, _: rows)
    for kind, (classes, types) in KINDS.items():
        of = lambda truth: truth[np.isin(truth[:, 7], list(classes))]
        table(kind, everything, of, lambda rows, names: rows[np.isin(names, list(types))])
    if options.each:
        for place in everything:
            table(sequences[place][0].name, [place], lambda truth: truth, lambda rows, _: rows)


if __name__ == "__main__":
    main()
