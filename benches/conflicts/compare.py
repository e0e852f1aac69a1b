"""Conflict measures beside SUMO's surrogate safety device, on the same trajectories.

    python compare.py --measures target/debug/examples/conflict_measures [--seed N] [--seconds N]

SUMO (PyPI `eclipse-sumo`) drives cars over a junction of four arms at 10 Hz; some take the right of way of others. Its SSM
device writes time to collision (TTC), deceleration to avoid a crash (DRAC) and post-encroachment time (PET) of all pairs.
`conflict_measures` gets the same trajectories, as centres of bodies, and does the same with `world::conflict`. Printed are
how often both see something, and the differences.

What differs by definition: the SSM device takes for the conflict area the square of the crossing lanes, we take what the
bodies cover. A car that has to slow down for more than its speed allows, by SUMO's DRAC comes to a stop later than it
may; by ours it stops before the place.
"""

import argparse
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

import numpy as np
import sumo

LENGTH_M, WIDTH_M, ARM_M = 5.0, 1.8, 150.0
HORIZON_S = 5.0
# Encounter types of the SSM device: following, merging, crossing.
KINDS = {"following": {2, 3}, "merging": {5, 6, 7, 8, 16, 17, 18}, "crossing": {9, 10, 11, 12, 13, 14, 15}}


def tool(name):
    return str(pathlib.Path(sumo.SUMO_HOME) / "bin" / name)


def run(command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def scenario(folder, seed, seconds):
    """Network and demand; returns the paths of what SUMO wrote: trajectories and conflicts."""
    ends = {"w": (-ARM_M, 0), "e": (ARM_M, 0), "s": (0, -ARM_M), "n": (0, ARM_M)}
    nodes = "".join(f'<node id="{n}" x="{x}" y="{y}"/>' for n, (x, y) in ends.items())
    (folder / "n.xml").write_text(f'<nodes><node id="c" x="0" y="0" type="priority"/>{nodes}</nodes>')
    edges = "".join(
        f'<edge id="{n}c" from="{n}" to="c" priority="{p}"/><edge id="c{n}" from="c" to="{n}" priority="{p}"/>'
        for n, p in zip("wesn", (2, 2, 1, 1))
    )
    (folder / "e.xml").write_text(f"<edges>{edges}</edges>")
    run([tool("netconvert"), "-n", folder / "n.xml", "-e", folder / "e.xml", "-o", folder / "net.xml"])
    rng = random.Random(seed)
    kinds = [
        f'<vType id="{name}" length="{LENGTH_M}" width="{WIDTH_M}" {more}/>'
        for name, more in (("lawful", ""), ("rude", 'jmIgnoreFoeProb="1" jmIgnoreFoeSpeed="50" speedFactor="1.2"'))
    ]
    trips, t = [], 0.0
    while t < seconds - 30:
        t += rng.expovariate(0.35)
        start, end = rng.sample("wesn", 2)
        kind = "rude" if rng.random() < 0.3 else "lawful"
        trips.append(f'<trip id="v{len(trips)}" type="{kind}" depart="{t:.1f}" departSpeed="max" from="{start}c" to="c{end}"/>')
    (folder / "r.xml").write_text(f"<routes>{''.join(kinds)}{''.join(trips)}</routes>")
    run([
        tool("sumo"), "-n", folder / "net.xml", "-r", folder / "r.xml", "--step-length", "0.1", "--seed", str(seed),
        "--end", str(seconds), "--fcd-output", folder / "fcd.xml", "--precision", "4", "--collision.action", "none",
        "--device.ssm.probability", "1", "--device.ssm.measures", "TTC DRAC PET", "--device.ssm.range", "80",
        "--device.ssm.thresholds", f"{HORIZON_S} 0.01 {HORIZON_S}", "--device.ssm.trajectories", "true",
        "--device.ssm.file", folder / "ssm.xml", "--device.ssm.extratime", "1",
    ])  # fmt: skip
    return folder / "fcd.xml", folder / "ssm.xml"


def trajectories(fcd, out):
    """SUMO's positions of front bumpers to centres."""
    with open(out, "w") as lines:
        for step in xml.parse(fcd).getroot():
            for v in step:
                yaw = math.radians(90 - float(v.get("angle")))
                x = float(v.get("x")) - LENGTH_M / 2 * math.cos(yaw)
                y = float(v.get("y")) - LENGTH_M / 2 * math.sin(yaw)
                row = [step.get("time"), v.get("id"), f"{x:.4f}", f"{y:.4f}", f"{yaw:.6f}", v.get("speed"), LENGTH_M, WIDTH_M]
                print(*row, file=lines)


def pair(a, b):
    return tuple(sorted((a, b)))


def theirs(ssm):
    """TTC and DRAC by (pair, time) with their kind, and PET by pair."""
    now, pet = {}, {}
    kind_of = {number: kind for kind, numbers in KINDS.items() for number in numbers}
    for conflict in xml.parse(ssm).getroot().iter("conflict"):
        key = pair(conflict.get("ego"), conflict.get("foe"))
        spans = {tag: conflict.find(tag).get("values").split() for tag in ("timeSpan", "typeSpan", "TTCSpan", "DRACSpan")}
        for time, number, ttc, drac in zip(*spans.values()):
            kind = kind_of.get(int(number))
            if kind and "NA" not in (ttc,) and 0 < float(ttc) <= HORIZON_S:
                values = [float(ttc), float(drac) if drac != "NA" else None]
                # Ego and foe each report the pair.
                now.setdefault((key, f"{float(time):.2f}"), (kind, *values))
        found = conflict.find("PET")
        if found is not None and found.get("value") not in (None, "NA"):
            pet[key] = min(pet.get(key, math.inf), abs(float(found.get("value"))))
    return now, pet


def ours(measures, file):
    now, pet = {}, {}
    done = subprocess.run([measures, file], check=True, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        what, *f = line.split()
        if what == "pet":
            pet[pair(f[0], f[1])] = float(f[2])
        else:
            now[(pair(f[1], f[2]), f[0])] = (float(f[4]), None if f[5] == "-" else float(f[5]))
    return now, pet


def report(name, differences, seen_by_one=""):
    if not differences:
        return print(f"{name:<18} none {seen_by_one}")
    d = np.abs(np.array(differences))
    print(
        f"{name:<18} {len(d):>6}  median {np.median(d):6.3f}  p95 {np.quantile(d, 0.95):6.3f}  bias "
        f"{np.mean(differences):+6.3f} {seen_by_one}"
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--measures", required=True, help="the example conflict_measures, built")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--seconds", type=int, default=600)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        fcd, ssm = scenario(folder, options.seed, options.seconds)
        trajectories(fcd, folder / "trajectories.txt")
        their_now, their_pet = theirs(ssm)
        our_now, our_pet = ours(options.measures, folder / "trajectories.txt")
    print("ours less SUMO's, of instants that both see   (TTC s, DRAC m/s², PET s)")
    for kind in KINDS:
        both = [k for k, v in their_now.items() if v[0] == kind and k in our_now]
        alone = sum(v[0] == kind and k not in our_now for k, v in their_now.items())
        report(f"{kind} TTC", [our_now[k][0] - their_now[k][1] for k in both], f" (SUMO alone: {alone})")
        dracs = [k for k in both if their_now[k][2] is not None and our_now[k][1] is not None]
        report(f"{kind} DRAC", [our_now[k][1] - their_now[k][2] for k in dracs])
    print(f"ours alone: {sum(k not in their_now for k in our_now)} instants of {len(our_now)}")
    both = [k for k in their_pet if k in our_pet]
    report("PET", [our_pet[k] - their_pet[k] for k in both], f" (SUMO alone: {len(their_pet) - len(both)})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
