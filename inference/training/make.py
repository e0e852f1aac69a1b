"""The shipped detector from nothing, or a detector for your own streets from the shipped one, by one command.

    python make.py --out ../../deploy/demo/detector.onnx
    python make.py --maps my-town.net.xml --resume ../../deploy/demo/detector.onnx --out my-detector.onnx --images 800 --steps 1500

Renders training and test images with `masa sim dataset`, trains, exports and evaluates on maps that training never saw.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TRAIN_MAPS, TEST_MAPS = "masa,boulevard,bend,motorway", "roundabout"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="the ONNX file to write")
    parser.add_argument("--maps", default=TRAIN_MAPS, help="shipped maps or files to train on, with commas between")
    parser.add_argument("--test-maps", default=TEST_MAPS, help="maps to test on, never trained on")
    parser.add_argument("--images", type=int, default=3200)
    parser.add_argument("--test-images", type=int, default=320)
    parser.add_argument("--steps", type=int, default=4500)
    parser.add_argument("--resume", help="an exported detector to go on from")
    parser.add_argument("--data", default="data", help="where the images go")
    parser.add_argument("--masa", default="masa", help="the program")
    args = parser.parse_args()
    data = Path(args.data)

    def run(*command):
        print("+", *command, flush=True)
        subprocess.run([str(part) for part in command], check=True)

    for name, maps, images, seed in [("train", args.maps, args.images, 11), ("test", args.test_maps, args.test_images, 23)]:
        run(args.masa, "sim", "dataset", "--output", data / name, "--images", images, "--maps", maps, "--seed", seed)
    resume = ["--resume", args.resume] if args.resume else []
    run(sys.executable, HERE / "train.py", "--data", data / "train", "--out", args.out, "--steps", args.steps, *resume)
    run(sys.executable, HERE / "evaluate.py", "--model", args.out, "--data", data / "test")


if __name__ == "__main__":
    main()
