#!/usr/bin/env python3
"""Makes the shipped road networks (*.net.xml) from plain nodes, edges and connections (plain/) with SUMO's netconvert.

    pip install eclipse-sumo==1.28.0
    python build.py            # all of them
    python build.py bend       # one

The header that netconvert writes (time, version, options) is left out, so that the same input gives the same file.
"""

import pathlib
import re
import subprocess
import sys

import sumo

HERE = pathlib.Path(__file__).resolve().parent
PLAIN = HERE / "plain"
NETCONVERT = pathlib.Path(sumo.SUMO_HOME) / "bin" / "netconvert"
NAMES = ["masa", "bend", "roundabout", "boulevard", "motorway"]
OPTIONS = {
    "no-turnarounds": "true",
    "no-internal-links": "false",
    "walkingareas": "true",
    "junctions.corner-detail": "8",
    "junctions.internal-link-detail": "9",
    "check-lane-foes.all": "true",
    "tls.yellow.time": "3",
    "tls.allred.time": "2",
    "tls.green.time": "30",
    "tls.left-green.time": "6",
    "tls.crossing-min.time": "8",
    "tls.crossing-clearance.time": "5",
    "default.crossing-width": "4",
    "offset.disable-normalization": "true",
    "output.street-names": "false",
    "precision": "3",
}
# Time to walk over the widest crossing at 1.3 m/s, seconds.
OWN = {"masa": {"tls.crossing-clearance.time": "12"}, "boulevard": {"tls.crossing-clearance.time": "20"}}


def build(name):
    target = HERE / f"{name}.net.xml"
    command = [NETCONVERT, "-n", PLAIN / f"{name}.nod.xml", "-e", PLAIN / f"{name}.edg.xml", "-o", target]
    for option, ending in [("-x", "con"), ("-i", "tll"), ("-t", "typ")]:
        if (PLAIN / f"{name}.{ending}.xml").exists():
            command += [option, PLAIN / f"{name}.{ending}.xml"]
    for option, value in {**OPTIONS, **OWN.get(name, {})}.items():
        command += [f"--{option}", value]
    subprocess.run([*map(str, command)], check=True)
    text = re.sub(r"<!--.*?-->\s*", "", target.read_text(), flags=re.S)
    target.write_text(text)
    print(f"{target.name}: {len(text)} bytes")


for wanted in sys.argv[1:] or NAMES:
    build(wanted)
