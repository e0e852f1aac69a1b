#!/usr/bin/env python3
"""Runs SUMO and the traffic of masa-sim on one configuration, with the same step and several seeds, and compares.

    python compare.py CONFIG.sumocfg --binary target/release/examples/traffic [--seeds 1 2 3] [--step 1.0] [--work DIR]

Prints travel times, flows by induction loop (sum, RMSE, GEH), queues (halting vehicles), teleports, running vehicles over time
and vehicle-steps a CPU-second of both, with ratios; exits with 1 if travel time, flow or queues differ by more than 10 %.
Needs `pip install eclipse-sumo`.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else float("nan")


def run_sumo(sumo, config, folder, seed, step):
    """SUMO with the configuration's inputs, its outputs into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {}
    for element in ET.parse(config).getroot().iter():
        if "value" in element.attrib:
            options[element.tag] = element.attrib["value"]
    additional = []
    for number, name in enumerate(filter(None, options.get("additional-files", "").split(","))):
        # SUMO resolves output files beside the file that names them: copy, so that they land in the folder.
        copy = folder / f"additional{number}.xml"
        copy.write_text((config.parent / name).read_text())
        additional.append(str(copy))
    edges = folder / "edges.add.xml"
    edges.write_text('<additional><edgeData id="edges" file="edges.xml" freq="300" excludeEmpty="true"/></additional>')
    routes = ",".join(str(config.parent / name) for name in options["route-files"].split(","))
    command = [
        sumo, "-n", str(config.parent / options["net-file"]), "-r", routes, "-a", ",".join([*additional, str(edges)]),
        "--seed", str(seed), "--step-length", str(step), "--no-step-log", "--no-warnings",
        "--tripinfo-output", str(folder / "trip.xml"), "--summary-output", str(folder / "summary.xml"),
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_masa(binary, config, folder, seed, step, threads):
    folder.mkdir(parents=True, exist_ok=True)
    command = [binary, str(config), str(folder), "--seed", str(seed), "--step", str(step), "--threads", str(threads)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(said)


def figures(folder, step):
    trips = [dict(t.attrib) for t in ET.parse(folder / "trip.xml").getroot()]
    number = lambda key: mean(float(trip[key]) for trip in trips)
    steps = [dict(s.attrib) for s in ET.parse(folder / "summary.xml").getroot()]
    loops = defaultdict(float)
    for path in [folder / "e1_output.xml"]:
        if path.exists():
            for interval in ET.parse(path).getroot():
                if float(interval.get("begin")) < 3600:
                    loops[interval.get("id"), float(interval.get("begin"))] += float(interval.get("nVehContrib"))
    queues = defaultdict(float)
    peak = defaultdict(float)
    for interval in ET.parse(folder / "edges.xml").getroot():
        length = float(interval.get("end")) - float(interval.get("begin"))
        for edge in interval:
            if edge.get("id").startswith(":") or length <= 0:
                continue
            halting = float(edge.get("waitingTime", 0)) / length
            queues[edge.get("id"), float(interval.get("begin"))] = halting
            peak[edge.get("id")] = max(peak[edge.get("id")], halting)
    running = {float(s["time"]): int(s["running"]) for s in steps}
    halting = {float(s["time"]): int(s["halting"]) for s in steps}
    in_hour = [t for t in halting if t < 3600]
    return {
        "trips": len(trips),
        "duration": number("duration"),
        "time_loss": number("timeLoss"),
        "waiting": number("waitingTime"),
        "depart_delay": number("departDelay"),
        "route_length": number("routeLength"),
        "loops": loops,
        "queues": queues,
        "peak": peak,
        "running": running,
        "mean_halting": mean(halting[t] for t in in_hour),
        "max_halting": max(halting.values()),
        "teleports": int(steps[-1].get("teleports", 0)),
        "end": float(steps[-1]["time"]),
        "vehicle_steps": sum(running.values()),
    }


def merged(runs, key):
    total = defaultdict(float)
    for run in runs:
        for place, value in run[key].items():
            total[place] += value / len(runs)
    return total


def rmse(a, b):
    keys = set(a) | set(b)
    return math.sqrt(mean((a.get(k, 0) - b.get(k, 0)) ** 2 for k in keys)) if keys else float("nan")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--step", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "masa-sumo-compare")
    parser.add_argument("--keep-sumo", action="store_true", help="use SUMO's outputs of an earlier run")
    parser.add_argument("--worst", type=int, default=0, help="list so many edges whose queues differ most")
    arguments = parser.parse_args()
    try:
        import sumo
        home, binary = sumo.SUMO_HOME, os.path.join(sumo.SUMO_HOME, "bin", "sumo")
        os.environ["SUMO_HOME"] = home
    except ImportError:
        binary = "sumo"
    theirs, ours, cpu = [], [], {"sumo": 0.0, "masa": 0.0}
    for seed in arguments.seeds:
        folder = arguments.work / f"sumo-{arguments.step}-{seed}"
        if not (arguments.keep_sumo and (folder / "cpu").exists()):
            used = run_sumo(binary, arguments.config, folder, seed, arguments.step)
            (folder / "cpu").write_text(str(used))
        cpu["sumo"] += float((folder / "cpu").read_text())
        theirs.append(figures(folder, arguments.step))
        folder = arguments.work / f"masa-{arguments.step}-{seed}"
        used, _ = run_masa(arguments.binary, arguments.config, folder, seed, arguments.step, arguments.threads)
        cpu["masa"] += used
        ours.append(figures(folder, arguments.step))
    print(f"{arguments.config.name}, step {arguments.step} s, seeds {arguments.seeds}; means over seeds")
    print(f"{'':34}{'SUMO':>12}{'masa':>12}{'ratio':>9}   spread of SUMO's seeds")
    ratios = {}
    rows = ["trips", "duration", "time_loss", "waiting", "depart_delay", "route_length", "mean_halting", "max_halting",
            "teleports", "end", "vehicle_steps"]
    for row in rows:
        a, b = mean(r[row] for r in theirs), mean(r[row] for r in ours)
        ratios[row] = b / a if a else float("nan")
        low, high = min(r[row] for r in theirs), max(r[row] for r in theirs)
        print(f"{row:34}{a:12.2f}{b:12.2f}{ratios[row]:9.3f}   {low:.2f} to {high:.2f}")
    loops_a, loops_b = merged(theirs, "loops"), merged(ours, "loops")
    if loops_a:
        total_a, total_b = sum(loops_a.values()), sum(loops_b.values())
        ratios["flow"] = total_b / total_a
        geh = [math.sqrt(2 * (2 * a - 2 * b) ** 2 / (2 * a + 2 * b)) for a, b in
               ((loops_a.get(k, 0), loops_b.get(k, 0)) for k in loops_a) if a + b > 0]
        print(f"{'vehicles at all loops':34}{total_a:12.1f}{total_b:12.1f}{ratios['flow']:9.3f}")
        print(f"loops: RMSE {rmse(loops_a, loops_b):.1f} vehicles a half-hour of {mean(loops_a.values()):.1f}; GEH < 5 at "
              f"{100 * mean(g < 5 for g in geh):.0f} %, mean GEH {mean(geh):.2f}")
        single = [rmse(loops_a, r["loops"]) for r in theirs]
        print(f"       (RMSE of SUMO's single seeds against their mean: {mean(single):.1f})")
    queues_a, queues_b = merged(theirs, "queues"), merged(ours, "queues")
    peak_a, peak_b = merged(theirs, "peak"), merged(ours, "peak")
    ratios["peak"] = sum(peak_b.values()) / sum(peak_a.values())
    keys = set(queues_a) | set(queues_b)
    a = [queues_a.get(k, 0) for k in keys]
    b = [queues_b.get(k, 0) for k in keys]
    ma, mb = mean(a), mean(b)
    cov = mean((x - ma) * (y - mb) for x, y in zip(a, b))
    corr = cov / math.sqrt(mean((x - ma) ** 2 for x in a) * mean((y - mb) ** 2 for y in b))
    print(f"{'peak queues of edges, summed':34}{sum(peak_a.values()):12.1f}{sum(peak_b.values()):12.1f}{ratios['peak']:9.3f}")
    print(f"queues by edge and 5 minutes: RMSE {rmse(queues_a, queues_b):.2f} vehicles, correlation {corr:.3f} "
          f"(SUMO's seeds against their mean: RMSE {mean(rmse(queues_a, r['queues']) for r in theirs):.2f})")
    for time in range(600, 5401, 600):
        print(f"running at {time:5} s{mean(r['running'].get(float(time), 0) for r in theirs):29.0f}"
              f"{mean(r['running'].get(float(time), 0) for r in ours):12.0f}")
    if arguments.worst:
        total = defaultdict(lambda: [0.0, 0.0])
        for (edge, _), value in queues_a.items():
            total[edge][0] += value
        for (edge, _), value in queues_b.items():
            total[edge][1] += value
        for edge, (x, y) in sorted(total.items(), key=lambda item: -abs(item[1][0] - item[1][1]))[: arguments.worst]:
            print(f"    edge {edge:20} halting vehicles x intervals: SUMO {x:8.1f} masa {y:8.1f}")
    speed_a = sum(r["vehicle_steps"] for r in theirs) / cpu["sumo"]
    speed_b = sum(r["vehicle_steps"] for r in ours) / cpu["masa"]
    print(f"{'vehicle-steps a CPU-second':34}{speed_a:12.0f}{speed_b:12.0f}{speed_b / speed_a:9.2f}")
    judged = {"duration": ratios["duration"], "mean_halting": ratios["mean_halting"], "flow": ratios.get("flow", 1.0)}
    bad = {name: round(ratio, 3) for name, ratio in judged.items() if abs(ratio - 1) > 0.1}
    print("within 10 %" if not bad else f"NOT within 10 %: {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
