"""A tiny anchor-free detector in the manner of YOLOX: plain convolutions, batch normalisation and ReLU, three strides.

In: `[B, 3, H, W]` RGB 0–255, H and W multiples of 32. Out: `[B, N, 5 + C]`, N = cells of strides 8, 16, 32 in that order, row by
row; a row is (x, y, w, h, objectness, classes), where the box is `((xy + cell) * stride, exp(wh) * stride)` and the scores are
probabilities. In training mode the scores are logits.
"""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDES = (8, 16, 32)


class Conv(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inputs, outputs, kernel=3, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))

    def fuse(self):
        self.conv, self.bn = fuse_conv_bn_eval(self.conv, self.bn), nn.Identity()


class Residual(nn.Module):
    """Bottleneck with a shortcut."""

    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(Conv(width, width // 2, 1), Conv(width // 2, width))

    def forward(self, x):
        return x + self.body(x)


class Head(nn.Module):
    """Box, objectness and classes of one stride."""

    def __init__(self, width, classes):
        super().__init__()
        self.box_stem, self.class_stem = Conv(width, width), Conv(width, width)
        self.box, self.objectness, self.classes = nn.Conv2d(width, 4, 1), nn.Conv2d(width, 1, 1), nn.Conv2d(width, classes, 1)
        for layer in (self.objectness, self.classes):
            nn.init.constant_(layer.bias, -4.6)  # a prior of 1 %

    def forward(self, x):
        b, c = self.box_stem(x), self.class_stem(x)
        scores = torch.cat([self.objectness(b), self.classes(c)], 1)
        return torch.cat([self.box(b), scores if self.training else scores.sigmoid()], 1)


class Detector(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stride4 = nn.Sequential(Conv(3, 12, 3, 2), Conv(12, 24, 3, 2))
        self.stride8 = nn.Sequential(Conv(24, 48, 3, 2), Residual(48), Residual(48))
        self.stride16 = nn.Sequential(Conv(48, 88, 3, 2), Residual(88), Residual(88))
        self.stride32 = nn.Sequential(Conv(88, 96, 3, 2), Residual(96), Residual(96))
        width = 32
        self.lateral = nn.ModuleList([Conv(c, width, 1) for c in (48, 88, 96)])
        self.smooth = nn.ModuleList([Conv(width, width) for _ in range(2)])
        self.heads = nn.ModuleList([Head(width, classes) for _ in STRIDES])
        self.up = nn.Upsample(scale_factor=2.0, mode="nearest")

    def forward(self, x):
        c3 = self.stride8(self.stride4(x * (1 / 64) - 2.0))
        c4 = self.stride16(c3)
        p5 = self.lateral[2](self.stride32(c4))
        p4 = self.smooth[1](self.lateral[1](c4) + self.up(p5))
        p3 = self.smooth[0](self.lateral[0](c3) + self.up(p4))
        maps = [head(p) for head, p in zip(self.heads, (p3, p4, p5))]
        rows = [m.reshape(int(m.shape[0]), int(m.shape[1]), int(m.shape[2] * m.shape[3])) for m in maps]  # constant in the export
        return torch.cat(rows, 2).transpose(1, 2)

    def fuse(self):
        """Folds batch normalisation into the convolutions, for export."""
        for module in self.modules():
            if isinstance(module, Conv):
                module.fuse()
        return self


def load_exported(model, path):
    """Takes weights from an exported detector, whose normalisation is folded into its convolutions.

    New classes are added behind the old ones and begin as unlikely as any.
    """
    import onnx
    from onnx import numpy_helper

    exported = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in onnx.load(str(path)).graph.initializer}
    state = model.state_dict()
    for name, value in state.items():
        if name in exported and exported[name].shape == value.shape:
            state[name] = exported[name]
        elif name in exported:  # the class outputs of fewer classes
            value[:len(exported[name])] = exported[name]
    for name, module in model.named_modules():
        if isinstance(module, Conv):
            folded = exported[f"{name}.conv.bias"]
            state[f"{name}.bn.weight"] = torch.ones_like(folded)
            state[f"{name}.bn.bias"] = folded
            state[f"{name}.bn.running_mean"] = torch.zeros_like(folded)
            state[f"{name}.bn.running_var"] = torch.full_like(folded, 1 - module.bn.eps)
    model.load_state_dict(state)


def grid(height, width):
    """Cell corners in cells `(N, 2)` and strides `(N, 1)` in output order."""
    cells, strides = [], []
    for s in STRIDES:
        ys, xs = torch.meshgrid(torch.arange(height // s), torch.arange(width // s), indexing="ij")
        cells.append(torch.stack([xs, ys], -1).reshape(-1, 2).float())
        strides.append(torch.full((len(cells[-1]), 1), float(s)))
    return torch.cat(cells), torch.cat(strides)


def decode(raw, cells, strides):
    """Boxes `(…, N, 4)` as corners in pixels."""
    centre = (raw[..., :2] + cells) * strides
    half = raw[..., 2:4].clamp(max=6).exp() * strides / 2
    return torch.cat([centre - half, centre + half], -1)
