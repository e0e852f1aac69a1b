"""YOLOX's loss: SimOTA assignment, GIoU for boxes, binary cross-entropy for objectness and classes."""

import torch
import torch.nn.functional as F

from model import decode, grid

CENTRE_RADIUS = 2.5  # in strides


def iou_matrix(a, b):
    """IoU of boxes (M, 4) with boxes (N, 4)."""
    low, high = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area = lambda x: (x[:, 2:] - x[:, :2]).clamp(min=0).prod(-1)
    return overlap / (area(a)[:, None] + area(b)[None] - overlap + 1e-6)


def giou_loss(a, b):
    """1 − GIoU of paired boxes."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - overlap
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1)
    return 1 - overlap / (union + 1e-6) + (hull - union) / (hull + 1e-6)


@torch.no_grad()
def assign(boxes, raw, targets, classes, centres, strides):
    """SimOTA for one image: which cells answer for which target. Returns cell indices, target indices and their IoU."""
    t = targets[:, None]
    inside = torch.stack([centres[None, :, 0] - t[..., 0], centres[None, :, 1] - t[..., 1], t[..., 2] - centres[None, :, 0],
                          t[..., 3] - centres[None, :, 1]]).amin(0) > 0
    middle = (targets[:, :2] + targets[:, 2:]) / 2
    near = ((centres[None] - middle[:, None]).abs() < CENTRE_RADIUS * strides[None, :, 0:1]).all(-1)
    candidates = (inside | near).any(0).nonzero()[:, 0]
    if len(candidates) == 0:
        return candidates, candidates, boxes.new_zeros(0)
    overlap = iou_matrix(targets, boxes[candidates])
    probability = (raw[candidates, 5:].sigmoid() * raw[candidates, 4:5].sigmoid()).sqrt().clamp(1e-6, 1 - 1e-6)
    wanted = F.one_hot(classes, raw.shape[1] - 5).float()
    log_p, log_q = probability.log(), (1 - probability).log()
    class_cost = -(wanted @ log_p.T + (1 - wanted) @ log_q.T)
    both = (inside & near)[:, candidates]
    cost = class_cost - 3 * (overlap + 1e-8).log() + 1e5 * (~both)
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    top = overlap.topk(min(10, overlap.shape[1]), dim=1).values
    for k, count in enumerate(top.sum(1).int().clamp(min=1).tolist()):
        chosen[k, cost[k].topk(min(count, cost.shape[1]), largest=False).indices] = True
    contested = chosen.sum(0) > 1
    if contested.any():
        best = cost[:, contested].argmin(0)
        chosen[:, contested] = False
        chosen[best, contested.nonzero()[:, 0]] = True
    target_index, cell = chosen.nonzero(as_tuple=True)
    return candidates[cell], target_index, overlap[target_index, cell]


def detection_loss(raw, labels, height, width):
    """Mean loss a positive cell. `labels` holds per image (boxes (T, 4), classes (T,), ignored boxes (I, 4))."""
    cells, strides = grid(height, width)
    boxes = decode(raw, cells, strides)
    centres = (cells + 0.5) * strides
    wanted_objectness = torch.zeros_like(raw[..., 4])
    weight = torch.ones_like(wanted_objectness)
    box_loss = class_loss = raw.sum() * 0
    positives = 0
    for k, (targets, classes, ignored) in enumerate(labels):
        for x1, y1, x2, y2 in ignored.tolist():
            weight[k, (centres[:, 0] > x1) & (centres[:, 0] < x2) & (centres[:, 1] > y1) & (centres[:, 1] < y2)] = 0
        if len(targets) == 0:
            continue
        cell, target, overlap = assign(boxes[k].detach(), raw[k].detach(), targets, classes, centres, strides)
        if len(cell) == 0:
            continue
        positives += len(cell)
        wanted_objectness[k, cell] = 1
        weight[k, cell] = 1
        box_loss = box_loss + giou_loss(boxes[k, cell], targets[target]).sum()
        wanted = F.one_hot(classes[target], raw.shape[2] - 5).float() * overlap[:, None]
        class_loss = class_loss + F.binary_cross_entropy_with_logits(raw[k, cell, 5:], wanted, reduction="sum")
    objectness = F.binary_cross_entropy_with_logits(raw[..., 4], wanted_objectness, weight, reduction="sum")
    return (5 * box_loss + class_loss + objectness) / max(positives, 1), positives
