"""Procedural meshes of road users, from nothing but numbers and a seed.

Object axes: x forward, y left, z up (ISO 8855), metres, origin on the ground under the centre. A mesh is a soup of quads, each
with a colour, a material, a depth bias for the painter and the number of the part it belongs to (parts cast the shadows).
"""

from dataclasses import dataclass, field

import numpy as np

MATTE, PAINT, GLASS, LIGHT = range(4)

CLASSES = ["person", "bicycle", "motorcycle", "e-scooter", "car", "van", "truck", "bus", "animal"]

PAINTS = [
    (225, 226, 228), (240, 240, 238), (172, 176, 180), (120, 124, 130), (62, 64, 68), (28, 29, 32), (150, 22, 28), (186, 36, 30),
    (28, 52, 110), (44, 92, 150), (26, 72, 58), (88, 110, 74), (196, 150, 40), (150, 118, 84), (92, 30, 44), (120, 160, 186),
]
SKINS = [(224, 178, 146), (198, 146, 112), (150, 104, 76), (98, 66, 48)]
HAIRS = [(40, 30, 24), (92, 64, 40), (150, 120, 80), (120, 118, 116), (24, 22, 22)]
GLASS_RGB, RUBBER_RGB, DARK_RGB = (30, 38, 44), (26, 26, 28), (34, 34, 36)


@dataclass
class Mesh:
    """Quads `(F, 4, 3)` with per-face colour (RGB), material, bias (m towards the camera), part and two-sidedness."""

    quads: list = field(default_factory=list)
    colours: list = field(default_factory=list)
    materials: list = field(default_factory=list)
    biases: list = field(default_factory=list)
    parts: list = field(default_factory=list)
    two_sided: list = field(default_factory=list)
    part: int = 0

    def add(self, quads, colour, material=MATTE, bias=0.0, two_sided=False, centre=None):
        """Adds quads as one part; with `centre` each is turned to face away from it. A sequence of colours goes per face."""
        quads = np.asarray(quads, float).reshape(-1, 4, 3)
        if centre is not None:
            normals = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
            inward = np.einsum("ij,ij->i", normals, quads.mean(1) - centre) < 0
            quads[inward] = quads[inward, ::-1]
        n = len(quads)
        self.quads.append(quads)
        self.colours.append(np.broadcast_to(np.asarray(colour, float), (n, 3)))
        self.materials.append(np.broadcast_to(material, n))
        self.biases.append(np.full(n, bias))
        self.parts.append(np.full(n, self.part))
        self.two_sided.append(np.full(n, two_sided))
        self.part += 1

    def arrays(self):
        """Quads, colours, materials, biases, parts, two-sidedness, each as one array."""
        fields = (self.quads, self.colours, self.materials, self.biases, self.parts, self.two_sided)
        return tuple(np.concatenate(f) for f in fields)


def box(centre, size):
    """Six quads of an axis-aligned box."""
    c, h = np.asarray(centre, float), np.asarray(size, float) / 2
    corner = lambda *s: c + h * np.asarray(s)
    quads = []
    for axis in range(3):
        for sign in (-1, 1):
            ring = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
            quads.append([corner(*np.insert(np.asarray(r), axis, sign)) for r in ring])
    return np.asarray(quads), c


def tube(a, b, radius_a, radius_b=None, sides=7):
    """A closed tapered tube from `a` to `b`."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    radius_b = radius_a if radius_b is None else radius_b
    axis = (b - a) / max(np.linalg.norm(b - a), 1e-9)
    u = np.cross(axis, [0, 0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0, 0])
    u /= np.linalg.norm(u)
    v = np.cross(axis, u)
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.cos(angles)[:, None] * u + np.sin(angles)[:, None] * v
    ends = [(a - axis * radius_a * 0.5, 0.55 * radius_a), (a, radius_a), (b, radius_b), (b + axis * radius_b * 0.5, 0.55 * radius_b)]
    rings = [p + ring * r for p, r in ends]
    quads = []
    for lower, upper in zip(rings, rings[1:]):
        for i in range(sides):
            j = (i + 1) % sides
            quads.append([lower[i], lower[j], upper[j], upper[i]])
    for end in (rings[0], rings[-1]):
        m = end.mean(0)
        quads += [[end[i], end[(i + 1) % sides], m, m] for i in range(sides)]
    return np.asarray(quads), (a + b) / 2


def ellipsoid(centre, radii, slices=9, stacks=6):
    """A closed ellipsoid."""
    lat = np.linspace(-np.pi / 2, np.pi / 2, stacks + 1)
    lon = np.linspace(0, 2 * np.pi, slices + 1)
    p = np.stack([np.outer(np.cos(lat), np.cos(lon)), np.outer(np.cos(lat), np.sin(lon)), np.outer(np.sin(lat), np.ones_like(lon))], -1)
    p = np.asarray(centre) + p * np.asarray(radii)
    return np.stack([p[:-1, :-1], p[:-1, 1:], p[1:, 1:], p[1:, :-1]], 2).reshape(-1, 4, 3), np.asarray(centre, float)


def wheel(mesh, x, y, radius, width, rim=(150, 152, 156), sides=14):
    """A wheel whose axle lies along y: tread, tyre ring and rim on the outer side."""
    angles = np.linspace(0, 2 * np.pi, sides + 1)
    circle = np.stack([np.cos(angles), np.zeros_like(angles), np.sin(angles)], -1)
    centre, outward = np.array([x, y, radius]), np.array([0, np.sign(y) * width / 2, 0])
    outer, inner = centre + outward + circle * radius, centre - outward + circle * radius
    tread = np.stack([outer[:-1], outer[1:], inner[1:], inner[:-1]], 1)
    mesh.add(tread, RUBBER_RGB, centre=centre)
    edge = centre + outward + circle * radius * 0.68
    mesh.add(np.stack([outer[:-1], outer[1:], edge[1:], edge[:-1]], 1), RUBBER_RGB, bias=0.25, centre=centre - outward)
    hub = np.broadcast_to(centre + outward * 1.02, edge[:-1].shape)
    shades = np.where((np.arange(sides) % 3 == 0)[:, None], np.asarray(rim) * 0.45, np.asarray(rim))
    mesh.add(np.stack([edge[:-1], edge[1:], hub, hub], 1), shades, PAINT, bias=0.3, centre=centre - outward)


def arch(mesh, x, side_y, radius, height):
    """The dark wheel arch on the body's side."""
    angles = np.linspace(0, np.pi, 9)
    top = np.stack([x + radius * np.cos(angles), np.full(9, side_y), height + radius * np.sin(angles)], -1)
    base = np.broadcast_to(np.array([x, side_y, height - 0.12]), top[:-1].shape)
    mesh.add(np.stack([top[:-1], top[1:], base, base], 1), (18, 18, 19), bias=0.15, centre=np.array([x, 0, height]))


def loft(stations, section):
    """Quads between cross-sections; `stations` rows hold whatever `section(row)` turns into (P, 3) points."""
    rings = [np.asarray(section(s)) for s in stations]
    quads, spans = [], []
    for k, (a, b) in enumerate(zip(rings, rings[1:])):
        for i in range(len(a) - 1):
            quads.append([a[i], a[i + 1], b[i + 1], b[i]])
            spans.append((k, i))
    for k, ring in ((-1, rings[0]), (len(rings) - 1, rings[-1])):
        m = len(ring)
        for i in range(m // 2):
            quads.append([ring[i], ring[i + 1], ring[m - 2 - i], ring[m - 1 - i]])
            spans.append((k, i))
    return np.asarray(quads), np.asarray(spans)


def body_section(s):
    """Cross-section of a body: sills, sides, shoulders, crowned top. `s` is (x, bottom, top, half width at the top, at the waist)."""
    x, bottom, top, w_top, w = s
    h = top - bottom
    half = [(w * 0.93, bottom), (w, bottom + 0.30 * h), (w * 0.99, bottom + 0.65 * h), (w_top + 0.25 * (w - w_top), top - 0.10 * h),
            (w_top * 0.86, top - 0.01), (w_top * 0.45, top + 0.02)]
    points = [(x, y, z) for y, z in half] + [(x, -y, z) for y, z in half[::-1]]
    return points


def cabin_section(s):
    """Cross-section of a greenhouse: `s` is (x, base, top, half width at the base, at the roof)."""
    x, base, top, w, w_roof = s
    half = [(w, base), (w_roof + (w - w_roof) * 0.15, base + (top - base) * 0.86), (w_roof * 0.86, top), (w_roof * 0.4, top + 0.015)]
    return [(x, y, z) for y, z in half] + [(x, -y, z) for y, z in half[::-1]]


def decal(mesh, x, y, z, width, height, colour, material=MATTE, bias=0.35):
    """A small upright rectangle on the front (x > 0) or the rear."""
    q = [[x, y - width / 2, z], [x, y + width / 2, z], [x, y + width / 2, z + height], [x, y - width / 2, z + height]]
    mesh.add([q], colour, material, bias=bias, centre=np.array([0, y, z]))


def car(rng, paint=None, hazards=False):
    """A passenger car: hatchback, saloon, estate or SUV."""
    style = rng.choice(["hatch", "saloon", "estate", "suv"])
    length, width, height = {"hatch": (3.95, 1.74, 1.47), "saloon": (4.6, 1.82, 1.44), "estate": (4.65, 1.82, 1.47),
                             "suv": (4.45, 1.86, 1.66)}[style]
    length, width, height = np.array([length, width, height]) * rng.uniform(0.95, 1.05, 3)
    paint = np.asarray(PAINTS[rng.integers(len(PAINTS))] if paint is None else paint, float)
    belt, sill, w, half = height * 0.63, 0.21 * height / 1.45, width / 2, length / 2
    mesh = Mesh()
    rear_top = belt * (0.97 if style != "saloon" else 0.99)
    body = [(-half, .42, rear_top * .86, w * .72, w * .84), (-half + .10, .26, rear_top, w * .82, w * .94), (-.36 * length, sill, belt, w * .86, w),
            (-.18 * length, sill, belt, w * .88, w), (0, sill, belt, w * .88, w), (.17 * length, sill, belt * .98, w * .88, w),
            (.30 * length, sill, belt * .91, w * .86, w * .99), (.42 * length, sill + .02, belt * .83, w * .82, w * .96),
            (half - .10, .26, belt * .74, w * .74, w * .88), (half, .38, belt * .62, w * .66, w * .78)]
    quads, _ = loft(body, body_section)
    mesh.add(quads, paint, PAINT, centre=np.array([0, 0, belt * .55]))
    rear_base, roof_rear = {"hatch": (-.485, -.36), "saloon": (-.36, -.20), "estate": (-.49, -.42), "suv": (-.49, -.38)}[style]
    cuts = [rear_base, roof_rear, roof_rear + .02, -.10, -.08, .045, .06, .215]
    tops = [belt + .03, height - .02, height, height + .01, height + .01, height - .01, height - .03, belt + .0]
    cabin = [(x * length, belt - .03, max(t, belt), w * .92, w * .76) for x, t in zip(cuts, tops)]
    quads, spans = loft(cabin, cabin_section)
    k, i = spans[:, 0], spans[:, 1]
    side = (i == 0) | (i == 6)
    glass = (np.isin(k, (0, 6)) & (i > 0) & (i < 6)) | (side & np.isin(k, (0, 2, 4, 6)))
    pillars = rng.random() < 0.3
    roof = np.asarray(DARK_RGB) if rng.random() < 0.15 else paint
    colours = np.where(glass[:, None], GLASS_RGB, np.where(side[:, None], DARK_RGB if pillars else paint, roof))
    mesh.add(quads, colours, np.where(glass, GLASS, PAINT), bias=0.1, centre=np.array([-.1 * length, 0, belt + .1]))
    for x in (-.30 * length, .31 * length):
        for y in (-w + .09, w - .09):
            arch(mesh, x, np.sign(y) * (w + .005), .39, .33)
            wheel(mesh, x, y, .325, .19)
    lights(mesh, half, w, belt * .60, belt * .74, hazards)
    decal(mesh, half + .01, 0, .34, w * .9, .14, (22, 22, 24))
    decal(mesh, -half - .01, 0, belt * .55, .5, .11, (226, 226, 220))
    decal(mesh, half + .012, 0, .46, .5, .11, (226, 226, 220), bias=.4)
    for y in (-w - .06, w + .06):
        mesh.add(box((.17 * length, y, belt + .05), (.10, .18, .12))[0], paint * .9, PAINT, bias=.1, centre=np.array([.17 * length, y, belt + .05]))
    return mesh


def lights(mesh, half, w, head_z, tail_z, hazards=False):
    """Head and tail lamps, with lit indicators when `hazards`."""
    for y in (-w * .66, w * .66):
        decal(mesh, half - .03, y, head_z - .05, .34, .14, (236, 238, 240), LIGHT)
        decal(mesh, -half + .02, y, tail_z - .06, .28, .20, (170, 20, 22), LIGHT)
        if hazards:
            for x in (half - .02, -half + .01):
                decal(mesh, x, y * 1.18, head_z + (.06 if x > 0 else .16), .24, .14, (255, 170, 20), LIGHT, bias=.5)


def van(rng, paint=None):
    """A light van, panel or glazed."""
    length, width, height = rng.uniform(4.7, 5.6), rng.uniform(1.9, 2.05), rng.uniform(1.95, 2.5)
    choices = [PAINTS[k] for k in (0, 1, 1, 1, 2, 3, 9, 12)]
    paint = np.asarray(choices[rng.integers(len(choices))] if paint is None else paint, float)
    w, half, sill = width / 2, length / 2, .28
    mesh = Mesh()
    nose, brow, base = half - .9, half - 1.55, 1.15
    body = [(-half, sill + .1, height * .97, w * .86, w * .96), (-half + .08, sill, height, w * .88, w), (-.2 * length, sill, height, w * .88, w),
            (.08 * length, sill, height, w * .88, w), (brow, sill, height * .985, w * .84, w), (nose, sill, base + .08, w * .84, w),
            (half - .12, sill, base - .12, w * .8, w * .94), (half, sill + .12, base - .35, w * .72, w * .86)]
    quads, spans = loft(body, body_section)
    k, i = spans[:, 0], spans[:, 1]
    screen = (k == 4) & (i >= 3) & (i <= 7)
    mesh.add(quads, np.where(screen[:, None], GLASS_RGB, paint), np.where(screen, GLASS, PAINT), centre=np.array([0, 0, height * .45]))
    panes = [(brow - .75, brow + .12)]
    if rng.random() < .45:
        panes += [(brow - 1.9, brow - .9), (-half + .4, brow - 2.05)]
    for x0, x1 in panes:
        for s in (-1, 1):
            y0, y1 = s * w * 1.005, s * w * .97
            q = [[x0, y0, base], [x1, y0, base], [x1 - .1, y1, height * .83], [x0, y1, height * .83]]
            mesh.add([q], GLASS_RGB, GLASS, bias=.3, centre=np.array([0, 0, 1.]))
    for y in (-w * .42, w * .42):
        decal(mesh, -half - .01, y, base + .05, w * .62, height * .32, GLASS_RGB, GLASS)
    for x in (-.30 * length, .33 * length):
        for y in (-w + .1, w - .1):
            arch(mesh, x, np.sign(y) * (w + .005), .42, .36)
            wheel(mesh, x, y, .35, .2)
    lights(mesh, half, w, .8, 1.1)
    decal(mesh, half + .01, 0, .5, w, .2, (24, 24, 26))
    return mesh


def truck(rng, paint=None):
    """A rigid truck: cab and cargo box, or an open bed."""
    length, width = rng.uniform(6.5, 9.0), rng.uniform(2.3, 2.5)
    height = rng.uniform(3.0, 3.6)
    paint = np.asarray(PAINTS[rng.integers(len(PAINTS))] if paint is None else paint, float)
    cargo = np.asarray([(232, 232, 230), (200, 204, 208), (60, 96, 150), (160, 44, 40), (196, 170, 60), (84, 120, 90)][rng.integers(6)], float)
    w, half = width / 2, length / 2
    mesh = Mesh()
    mesh.add(box((-.1, 0, .75), (length - .6, width * .6, .3))[0], DARK_RGB, centre=np.array([-.1, 0, .75]))
    cab_len = 1.9
    rear = half - cab_len
    cab_top = rng.uniform(2.3, 2.8)
    cab = [(rear, .5, cab_top * .98, w * .84, w * .97), (rear + .2, .45, cab_top, w * .84, w * .98), (half - .55, .45, cab_top * .97, w * .82, w * .98),
           (half - .12, .42, cab_top * .6, w * .84, w * .97), (half, .5, cab_top * .52, w * .8, w * .93)]
    quads, spans = loft(cab, body_section)
    screen = (spans[:, 0] == 2) & (spans[:, 1] >= 3) & (spans[:, 1] <= 7)
    mesh.add(quads, np.where(screen[:, None], GLASS_RGB, paint), np.where(screen, GLASS, PAINT), centre=np.array([half - 1, 0, 1.3]))
    for s in (-1, 1):
        y = s * w * 1.0
        mesh.add([[[rear + .6, y, cab_top * .58], [half - .4, y, cab_top * .58], [half - .6, y * .95, cab_top * .88], [rear + .6, y * .95, cab_top * .88]]],
                 GLASS_RGB, GLASS, bias=.3, centre=np.array([0, 0, 1.]))
    bed_len = length - cab_len - .25
    top = height if rng.random() < .75 else 1.7
    centre = np.array([-half + bed_len / 2, 0, (top + .95) / 2])
    slices = 5
    for j in range(slices):
        x = -half + bed_len * (j + .5) / slices
        quads, _ = box((x, 0, centre[2]), (bed_len / slices, width, top - .95))
        quads = quads if j in (0, slices - 1) else quads[2:]
        mesh.add(quads, cargo * (1 - .03 * (j % 2)), PAINT, centre=np.array([x, 0, centre[2]]))
    for x in (-half + 1.2, -half + 2.1 if length > 7.8 else -half + 1.2, half - 1.1):
        for y in (-w + .15, w - .15):
            wheel(mesh, x, y, .48, .28)
    lights(mesh, half, w, .75, .85)
    return mesh


def bus(rng, paint=None):
    """A city bus with large windows."""
    length, width, height = rng.uniform(9.5, 12.0), 2.5, rng.uniform(2.9, 3.15)
    choices = [(206, 150, 30), (186, 40, 36), (40, 90, 160), (232, 232, 230), (60, 130, 80)]
    paint = np.asarray(choices[rng.integers(5)] if paint is None else paint, float)
    w, half = width / 2, length / 2
    mesh = Mesh()
    xs = np.linspace(-half + .1, half - .25, 9)
    body = [(-half, .45, height * .97, w * .88, w * .97)] + [(x, .32, height, w * .9, w) for x in xs] + [(half, .4, height * .95, w * .86, w * .96)]
    quads, spans = loft(body, body_section)
    roof = (spans[:, 1] >= 4) & (spans[:, 1] <= 6) & (spans[:, 0] >= 0) & (spans[:, 0] < len(body) - 1)
    mesh.add(quads, np.where(roof[:, None], (224, 226, 226), paint), PAINT, centre=np.array([0, 0, height / 2]))
    edges = np.linspace(-half + .3, half - .6, 9)
    for s in (-1, 1):
        for j, (x0, x1) in enumerate(zip(edges, edges[1:])):
            door = s < 0 and j in (3, 7)
            z0 = .5 if door else 1.25
            q = [[x0 + .06, s * w * 1.005, z0], [x1 - .06, s * w * 1.005, z0], [x1 - .06, s * w * .985, height * .84], [x0 + .06, s * w * .985, height * .84]]
            mesh.add([q], GLASS_RGB, GLASS, bias=.35, centre=np.array([0, 0, 1.5]))
    decal(mesh, half + .01, 0, 1.05, width * .86, height * .42, GLASS_RGB, GLASS)
    decal(mesh, half + .02, 0, height * .84, width * .6, .24, (250, 170, 40), LIGHT)
    decal(mesh, -half - .01, 0, 1.6, width * .8, height * .28, GLASS_RGB, GLASS)
    mesh.add(box((-half * .4, 0, height + .1), (2.2, 1.4, .2))[0], (205, 207, 208), centre=np.array([-half * .4, 0, height + .1]))
    for x in (-half * .52, half * .52):
        for y in (-w + .15, w - .15):
            arch(mesh, x, np.sign(y) * (w + .005), .56, .48)
            wheel(mesh, x, y, .47, .26)
    lights(mesh, half, w, .75, .95)
    return mesh


def limb(mesh, a, b, c, colour_ab, colour_bc, r0, r1, r2):
    """Two bones a–b–c."""
    for p, q, colour, rp, rq in ((a, b, colour_ab, r0, r1), (b, c, colour_bc, r1, r2)):
        quads, centre = tube(p, q, rp, rq)
        mesh.add(quads, colour, centre=centre)


def clothes(rng):
    """Colours of top, trousers, skin, hair, shoes."""
    colour = lambda: np.clip(np.asarray(PAINTS[rng.integers(len(PAINTS))], float) * rng.uniform(.6, 1.05) + rng.uniform(-20, 20, 3), 15, 245)
    trousers = [(36, 44, 66), (52, 54, 60), (28, 28, 30), (96, 86, 70), (70, 84, 110), (150, 146, 138)][rng.integers(6)]
    return colour(), np.asarray(trousers, float), SKINS[rng.integers(4)], HAIRS[rng.integers(5)], (30, 28, 28)


def head(mesh, centre, skin, hair, helmet=None):
    centre = np.asarray(centre, float)
    quads, c = ellipsoid(centre, (.095, .08, .12))
    mesh.add(quads, skin, centre=c)
    top = centre + np.array([-.015, 0, .035])
    quads, c = ellipsoid(top, (.125, .11, .115) if helmet is not None else (.102, .09, .10))
    mesh.add(quads, hair if helmet is None else helmet, PAINT if helmet is not None else MATTE, bias=.02, centre=c)


def person(rng, phase=0.0, walking=True):
    """A pedestrian; `phase` (radians) drives the gait."""
    top, trousers, skin, hair, shoes = clothes(rng)
    mesh = Mesh()
    height = rng.uniform(1.50, 1.90)
    k = height / 1.75
    bag, bag_rgb = rng.random() < .25, np.asarray(PAINTS[rng.integers(len(PAINTS))])
    swing = .42 if walking else .05
    hip_z, knee, shin = .92, .45, .44
    for s, ph in ((1, phase), (-1, phase + np.pi)):
        thigh = swing * np.sin(ph)
        bend = .55 * swing / .42 * max(0., np.sin(ph - 1.9)) + .05
        hip = np.array([0, s * .09, hip_z])
        kn = hip + knee * np.array([np.sin(thigh), 0, -np.cos(thigh)])
        an = kn + shin * np.array([np.sin(thigh - bend), 0, -np.cos(thigh - bend)])
        an[2] = max(an[2], .06)
        limb(mesh, hip * k, kn * k, an * k, trousers, trousers, .085 * k, .06 * k, .045 * k)
        quads, c = ellipsoid((an + [.06, 0, -.02]) * k, (.13, .05, .05), 7, 4)
        mesh.add(quads, shoes, centre=c)
        sh = np.array([0, s * .21, 1.42])
        arm = -.9 * thigh
        el = sh + .29 * np.array([np.sin(arm), s * .12, -np.cos(arm)])
        ha = el + .26 * np.array([np.sin(arm + .35), 0, -np.cos(arm + .35)])
        limb(mesh, sh * k, el * k, ha * k, top, skin if rng.random() < .4 else top, .052 * k, .043 * k, .036 * k)
    quads, _ = tube(np.array([0, 0, .90]) * k, np.array([.02, 0, 1.40]) * k, .15 * k, .17 * k, 10)
    quads = quads * np.array([.78, 1.18, 1])
    mesh.add(quads, top, centre=np.array([0, 0, 1.15]) * k)
    mesh.add(tube(np.array([0, 0, 1.42]) * k, np.array([.02, 0, 1.55]) * k, .05)[0], skin, centre=np.array([.01, 0, 1.5]) * k)
    head(mesh, np.array([.03, 0, 1.64]) * k, skin, hair)
    if bag:
        mesh.add(box(np.array([-.17, 0, 1.22]) * k, (.16, .28, .40))[0], bag_rgb, centre=np.array([-.17, 0, 1.22]) * k)
    return mesh


def ring(mesh, x, radius, thickness, colour, sides=18):
    """A spoked wheel in the x–z plane, seen from both sides."""
    angles = np.linspace(0, 2 * np.pi, sides + 1)
    circle = np.stack([np.cos(angles), np.zeros_like(angles), np.sin(angles)], -1)
    centre = np.array([x, 0, radius])
    for y in (-.012, .012):
        o, i = centre + [0, y, 0] + circle * radius, centre + [0, y, 0] + circle * (radius - thickness)
        mesh.add(np.stack([o[:-1], o[1:], i[1:], i[:-1]], 1), colour, two_sided=True)
    o = centre + circle * radius
    mesh.add(np.stack([o[:-1] + [0, .02, 0], o[1:] + [0, .02, 0], o[1:] - [0, .02, 0], o[:-1] - [0, .02, 0]], 1), colour, centre=centre)


def tubes(mesh, pairs, radius, colour, material=PAINT):
    for a, b in pairs:
        quads, c = tube(a, b, radius, sides=5)
        mesh.add(quads, colour, material, centre=c)


def rider(mesh, rng, hip, shoulder, hand, foot_at, lean_head=.12, helmet_chance=.5, seated_width=.1):
    """A rider given hip, shoulder and hand points (x, z) and the feet `foot_at(side)`."""
    top, trousers, skin, hair, shoes = clothes(rng)
    hip_p, sh_p = np.array([hip[0], 0, hip[1]]), np.array([shoulder[0], 0, shoulder[1]])
    for s in (1, -1):
        h, f = hip_p + [0, s * seated_width, 0], np.asarray(foot_at(s), float)
        mid, span = (h + f) / 2, np.linalg.norm(f - h)
        out = np.array([f[2] - h[2], 0, h[0] - f[0]])
        out = out / max(np.linalg.norm(out), 1e-6)
        out = out if out[0] > 0 else -out
        kn = mid + out * np.sqrt(max(.90 ** 2 - span ** 2, .002)) / 2
        limb(mesh, h, kn, f, trousers, trousers, .085, .06, .045)
        quads, c = ellipsoid(f + [.06, 0, -.02], (.13, .05, .045), 7, 4)
        mesh.add(quads, shoes, centre=c)
        sh, ha = sh_p + [0, s * .19, -.03], np.array([hand[0], s * .22, hand[1]])
        limb(mesh, sh, (sh + ha) / 2 + [0, s * .05, -.05], ha, top, skin if rng.random() < .4 else top, .05, .042, .035)
    quads, c = tube(hip_p, sh_p, .145, .165, 9)
    mesh.add(quads * np.array([1, 1.15, 1]), top, centre=c)
    helmet = np.asarray(PAINTS[rng.integers(len(PAINTS))]) if rng.random() < helmet_chance else None
    head(mesh, sh_p + [lean_head, 0, .24], skin, hair, helmet)


def bicycle(rng, phase=0.0):
    """A cyclist with the bicycle; `phase` turns the pedals."""
    mesh, colour = Mesh(), PAINTS[rng.integers(len(PAINTS))]
    for x in (-.52, .52):
        ring(mesh, x, .34, .06, (34, 34, 36))
    bb, seat, bar = (-.08, 0, .30), (-.25, 0, .92), (.38, 0, 1.0)
    tubes(mesh, [((-.52, 0, .34), bb), ((-.52, 0, .34), (-.2, 0, .78)), (bb, seat), (bb, (.36, 0, .78)), ((-.2, 0, .78), (.36, 0, .80)),
                 (bar, (.52, 0, .34))], .024, colour)
    tubes(mesh, [((.36, -.26, 1.02), (.36, .26, 1.02))], .018, DARK_RGB)
    mesh.add(box((-.26, 0, .95), (.26, .14, .06))[0], DARK_RGB, centre=np.array([-.26, 0, .95]))
    lean = rng.uniform(.12, .34)
    foot = lambda s: (bb[0] + .17 * np.cos(phase + (0 if s > 0 else np.pi)), s * .12, bb[2] + .17 * np.sin(phase + (0 if s > 0 else np.pi)))
    rider(mesh, rng, (-.24, 1.0), (-.24 + lean, 1.52), (.34, 1.06), foot)
    return mesh


def e_scooter(rng, phase=0.0):
    """A rider on an electric kick scooter."""
    mesh, colour = Mesh(), [(34, 36, 38), (60, 160, 110), (220, 220, 220), (230, 120, 40)][rng.integers(4)]
    for x in (-.45, .48):
        ring(mesh, x, .12, .07, (30, 30, 32), 12)
    mesh.add(box((-.02, 0, .15), (.75, .16, .07))[0], colour, PAINT, centre=np.array([-.02, 0, .15]))
    tubes(mesh, [((.48, 0, .12), (.38, 0, 1.12))], .03, colour)
    tubes(mesh, [((.38, -.25, 1.13), (.38, .25, 1.13))], .02, DARK_RGB)
    foot = lambda s: ((.08 if s > 0 else -.18), s * .05, .24)
    rider(mesh, rng, (-.06, 1.06), (.0, 1.58), (.37, 1.16), foot, lean_head=.05, helmet_chance=.3)
    return mesh


def motorcycle(rng, phase=0.0):
    """A motorcycle or moped with its rider."""
    mesh, colour = Mesh(), np.asarray(PAINTS[rng.integers(len(PAINTS))], float)
    for x in (-.66, .68):
        for y in (-.001, .001):
            wheel(mesh, x, y, .31, .14, sides=12)
    quads, c = ellipsoid((.12, 0, .80), (.34, .18, .17))
    mesh.add(quads, colour, PAINT, centre=c)
    mesh.add(box((-.02, 0, .48), (.62, .32, .36))[0], (58, 58, 62), centre=np.array([-.02, 0, .48]))
    quads, c = ellipsoid((-.46, 0, .80), (.42, .16, .10))
    mesh.add(quads, DARK_RGB, centre=c)
    quads, c = ellipsoid((.58, 0, .88), (.16, .18, .20))
    mesh.add(quads, colour, PAINT, centre=c)
    tubes(mesh, [((.68, .07, .31), (.48, .07, .95)), ((.68, -.07, .31), (.48, -.07, .95))], .035, (120, 122, 126))
    tubes(mesh, [((.45, -.36, 1.02), (.45, .36, 1.02))], .022, DARK_RGB)
    if rng.random() < .4:
        mesh.add(box((-.78, 0, 1.02), (.38, .42, .36))[0], PAINTS[rng.integers(len(PAINTS))], PAINT, centre=np.array([-.78, 0, 1.02]))
    decal(mesh, .76, 0, .84, .18, .14, (240, 240, 236), LIGHT, bias=.2)
    decal(mesh, -.9, 0, .76, .16, .08, (170, 20, 22), LIGHT, bias=.2)
    rider(mesh, rng, (-.28, .92), (-.10, 1.44), (.42, 1.06), lambda s: (.0, s * .24, .36), lean_head=.08, helmet_chance=1.0, seated_width=.16)
    return mesh


def animal(rng, phase=0.0):
    """A dog, or at a larger scale a deer."""
    mesh = Mesh()
    coat = np.asarray([(60, 44, 32), (150, 112, 70), (36, 34, 34), (214, 206, 190), (120, 84, 54), (96, 90, 86)][rng.integers(6)], float)
    k = rng.uniform(.9, 1.35) if rng.random() < .75 else rng.uniform(1.8, 2.3)
    quads, c = ellipsoid((0, 0, .46 * k), (.36 * k, .125 * k, .145 * k))
    mesh.add(quads, coat, centre=c)
    limb(mesh, np.array([.28, 0, .52]) * k, np.array([.40, 0, .66]) * k, np.array([.46, 0, .70]) * k, coat, coat, .08 * k, .07 * k, .06 * k)
    quads, c = ellipsoid((.46 * k, 0, .72 * k), (.13 * k, .07 * k, .08 * k))
    mesh.add(quads, coat * .92, centre=c)
    for x, y, ph in ((.24, .07, 0), (.24, -.07, 2.6), (-.26, .07, 3.1), (-.26, -.07, .5)):
        a = .35 * np.sin(phase + ph)
        hip = np.array([x, y, .40]) * k
        foot = np.array([x + .36 * np.sin(a), y, .03]) * k
        limb(mesh, hip, (hip + foot) / 2 + np.array([.03, 0, 0]) * k, foot, coat, coat * .85, .055 * k, .04 * k, .03 * k)
    limb(mesh, np.array([-.34, 0, .50]) * k, np.array([-.46, 0, .56]) * k, np.array([-.56, 0, .66]) * k, coat, coat, .035 * k, .03 * k, .02 * k)
    return mesh


BUILDERS = {"person": person, "bicycle": bicycle, "motorcycle": motorcycle, "e-scooter": e_scooter, "car": car, "van": van,
            "truck": truck, "bus": bus, "animal": animal}
