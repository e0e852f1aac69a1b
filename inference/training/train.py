"""Trains the shipped detector on rendered images and exports it to ONNX.

    python train.py --data DATA/train --out detector.onnx [--resume detector.onnx] [--steps 4500] [--threads 1] [--seed 1]

Forward passes run in bfloat16 where the processor has it, weights and losses stay in 32 bits. The averaged weights are
exported every 250 steps, so an interrupted run leaves a detector.
"""

import argparse
import copy
import queue
import threading
import time

import cv2
import numpy as np
import torch

from classes import CLASSES, HEIGHT_PX, WIDTH_PX
from data import Images, random_crop
from loss import detection_loss
from model import Detector, load_exported

# Most batches are crops, which cost 40 % of a frame; the rest are whole frames, so that big vehicles are seen whole.
CROP, FRAME, FRAME_SHARE = (384, 256, 16), (WIDTH_PX, HEIGHT_PX, 8), 0.3


def batches(images, seed: int, out: queue.Queue, stop: threading.Event):
    """Endless shuffled batches, made ahead of the training thread."""
    rng = np.random.default_rng(seed)
    order = []
    while not stop.is_set():
        width, height, size = FRAME if rng.random() < FRAME_SHARE else CROP
        items = []
        for _ in range(size):
            order = order or rng.permutation(len(images)).tolist()
            items.append(random_crop(*images[order.pop()], width, height, rng))
        batch = torch.stack([pixels for pixels, _ in items]), [labels for _, labels in items], width, height
        while not stop.is_set():
            try:
                out.put(batch, timeout=0.5)
                break
            except queue.Full:
                continue


def learning_rate(progress: float, peak: float) -> float:
    """Warm-up, then a cosine; `progress` is 0 to 1."""
    return peak * progress / 0.04 if progress < 0.04 else peak * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * (progress - 0.04) / 0.96)))


def train(args):
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    images = torch.utils.data.ConcatDataset([Images(folder) for folder in args.data])
    model = Detector(len(CLASSES))
    if args.resume:
        load_exported(model, args.resume)
    print(f"{len(images)} images, {sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    model = model.to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(model).eval()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-3)
    feed, stop = queue.Queue(4), threading.Event()
    threading.Thread(target=batches, args=(images, args.seed, feed, stop), daemon=True).start()
    start, running, seen = time.monotonic(), None, 0
    for step in range(1, args.steps + 1):
        pixels, labels, width, height = feed.get()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step / args.steps, args.peak_rate)
        with torch.autocast("cpu", torch.bfloat16):
            raw = model(pixels.contiguous(memory_format=torch.channels_last))
        loss, _ = detection_loss(raw.float(), labels, height, width)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        seen += len(pixels)
        decay = min(0.998, (1 + step) / (10 + step))
        with torch.no_grad():
            for a, b in zip(average.state_dict().values(), model.state_dict().values()):
                a.lerp_(b, 1 - decay) if a.dtype.is_floating_point else a.copy_(b)
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % 50 == 0:
            print(f"{time.monotonic() - start:6.0f} s  step {step}  epochs {seen / len(images):.1f}  loss {running:.3f}", flush=True)
        if step % 250 == 0 or step == args.steps:
            export(average, args.out)
    stop.set()


def export(model: Detector, path):
    """One input `images [1, 3, 384, 640]`, one output `output [1, N, 5 + C]`, opset 13, batch normalisation folded."""
    model = copy.deepcopy(model).to(memory_format=torch.contiguous_format).eval().fuse()
    example = torch.zeros(1, 3, HEIGHT_PX, WIDTH_PX)
    torch.onnx.export(model, example, str(path), input_names=["images"], output_names=["output"], opset_version=13, dynamo=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, nargs="+", help="folders of images with labels")
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=4500)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peak-rate", type=float, default=2.5e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", help="an exported detector to start from: a second round, or another camera")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
