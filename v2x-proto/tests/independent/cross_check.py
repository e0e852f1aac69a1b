"""Random messages agree with a codec that is not ours, both ways.

For each type: makes values with pycrate's types, encodes them with pycrate, has `masa v2x decode` and `masa v2x recode`
read them, and compares value and bytes. Then takes random messages of ours (example `random_messages`) to pycrate, which
must read the same value and write the same bytes. asn1tools reads the bytes too where it can compile the modules.
ETSI's modules are read where they lie; those of TS 103 301 (v2.1.1) need ISO's, which come compiled with pycrate.

    python cross_check.py ETSI_ASN1_DIR --masa MASA --random RANDOM_MESSAGES [--count 2000] [--seed 1] [--type TYPE ...]

Prints a line a type, and every difference (the first ten); exits 1 when there is one. Written for pycrate 0.8.1.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "edge-node/tests/independent"))
from check_messages import serial_constraints, without_comments, without_inner_subtypes  # noqa: E402
from pycrate_asn1c import asnobj, asnproc, generator  # noqa: E402
from pycrate_asn1rt.asnobj import ASN1Obj  # noqa: E402
from pycrate_asn1rt.codecs import ASN1CodecPER  # noqa: E402
from random_values import Nothing, Values  # noqa: E402

CDD1, CDD2 = "release1/TS102894-*-CDD.asn", "release2/TS102894-*-CDD.asn"
CAM2, MOTORCYCLIST = "release2/TS103900*-CAM.asn", "release2/motorcyclist*.asn"
TYPES = {
    "r1_cam": ([CDD1, "release1/EN302637-2*-CAM.asn"], "CAM_PDU_Descriptions", "CAM"),
    "r1_denm": ([CDD1, "release1/EN302637-3*-DENM.asn"], "DENM_PDU_Descriptions", "DENM"),
    "r2_cam": ([CDD2, CAM2], "CAM_PDU_Descriptions", "CAM"),
    "r2_denm": ([CDD2, "release2/TS103831*-DENM.asn"], "DENM_PDU_Description", "DENM"),
    "r2_cpm": ([CDD2, "release2/CPM-*.asn"], "CPM_PDU_Descriptions", "CollectivePerceptionMessage"),
    "r2_vam": ([CDD2, CAM2, "release2/VAM*.asn", MOTORCYCLIST], "VAM_PDU_Descriptions", "VAM"),
    "r2_poim": ([CDD2, "release2/POIM*.asn"], "POIM_PDU_Description", "POIM"),
} | {f"is13_{name}": (None, f"{name}_PDU_Descriptions", name)
     for name in ("SPATEM", "MAPEM", "SREM", "SSEM", "RTCMEM", "IVIM")}
IDS = {"denm": 1, "cam": 2, "poim": 3, "spatem": 4, "mapem": 5, "ivim": 6, "srem": 9, "ssem": 10, "rtcmem": 13,
       "cpm": 14, "vam": 16}
LONGEST = 1400  # bytes: what fits a frame of G5


def compile_type(directory, patterns, module, name):
    """The PDU as a pycrate object."""
    ASN1Obj._SAFE_VAL = False  # its check of values takes some complete extension groups for incomplete ones
    ASN1CodecPER.GET_DEFVAL = False  # as in our JER: what is not on the wire because it is the DEFAULT is left out
    if patterns is None:
        from pycrate_asn1dir import ITS_IS
        return getattr(getattr(ITS_IS, module), name)
    for part in (asnobj, asnproc, generator):
        part.reduce_setdicts = serial_constraints
    paths = [path for pattern in patterns for path in sorted(directory.glob(pattern))]
    asnproc.compile_text([without_inner_subtypes(without_comments(path.read_text(encoding="utf-8"))) for path in paths])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "etsi.py"
        asnproc.generate_modules(asnproc.PycrateGenerator, str(path))
        spec = importlib.util.spec_from_file_location("etsi", path)
        etsi = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(etsi)
    return getattr(getattr(etsi, module), name)


def asn1tools_type(directory, patterns, name):
    """Decodes bytes with asn1tools and encodes again, or None where it cannot compile the modules."""
    if patterns is None:
        return None
    try:
        import asn1tools
        paths = [path for pattern in patterns for path in sorted(directory.glob(pattern))]
        texts = [without_inner_subtypes(without_comments(path.read_text(encoding="utf-8"))) for path in paths]
        compiled = asn1tools.compile_string("\n".join(texts), "uper")
        return lambda wire: compiled.encode(name, compiled.decode(name, wire))
    except Exception:  # its parser knows less ASN.1 than pycrate's and says so in many ways
        return None


def their_messages(pdu, kind, count, seed):
    """Bytes and values that pycrate makes."""
    source, tried = random.Random(f"{kind} {seed}"), 0
    made = []
    while len(made) < count and tried < 50 * count:
        tried += 1
        try:
            value = Values(source, often=source.choice((0.1, 0.3, 0.6, 0.9))).value(pdu)
        except Nothing:
            continue
        header = value["header"]
        header["messageId" if "messageId" in header else "messageID"] = IDS[kind.split("_")[1].lower()]
        try:
            pdu.set_val(value)
            wire = pdu.to_uper()
        except Exception as error:
            raise SystemExit(f"{kind}: pycrate refuses its own value: {error!r}")
        if len(wire) > LONGEST:
            continue
        try:
            pdu.from_uper(wire)  # the value as it is on the wire, without what is the DEFAULT
        except Exception:  # pycrate cannot read what it wrote (some strings of IVIM): not an oracle for this one
            continue
        made.append((wire, json.loads(pdu.to_jer())))
    return made, tried


def as_pycrate(value):
    """Our JER in pycrate's form: X.697 writes a BIT STRING without a fixed size as digits and length, pycrate as digits
    only. The length is compared with the bytes."""
    if isinstance(value, dict):
        if value.keys() == {"length", "value"}:
            return value["value"]
        return {name: as_pycrate(part) for name, part in value.items()}
    return [as_pycrate(part) for part in value] if isinstance(value, list) else value


def lines_of(command, wires):
    """One line of output for each message given as hex."""
    text = "".join(wire.hex() + "\n" for wire in wires)
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if len(lines) != len(wires):
        raise SystemExit(f"{command}: {len(lines)} lines for {len(wires)} messages: {run.stderr}")
    return lines


def check(kind, options):
    patterns, module, name = TYPES[kind]
    pdu = compile_type(options.etsi_asn1, patterns, module, name)
    second = asn1tools_type(options.etsi_asn1, patterns, name)
    problems, second_agrees, second_read = [], 0, 0

    made, tried = their_messages(pdu, kind, options.count, options.seed)
    wires = [wire for wire, _ in made]
    decoded = lines_of([options.masa, "v2x", "decode", "--type", kind], wires)
    recoded = lines_of([options.masa, "v2x", "recode", "--type", kind], wires)
    for (wire, value), ours, again in zip(made, decoded, recoded):
        if ours.startswith("error"):
            problems.append(f"{wire.hex()}\n  ours cannot read it: {ours}")
        elif as_pycrate(json.loads(ours)) != value:
            problems.append(f"{wire.hex()}\n  theirs {json.dumps(value, sort_keys=True)}\n"
                            f"  ours   {json.dumps(json.loads(ours), sort_keys=True)}")
        elif again != wire.hex():
            problems.append(f"{wire.hex()}\n  ours writes {again}")

    ours = options.count_ours or options.count
    command = [options.random, kind, str(ours), str(options.seed)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    ours_made, left_out = [json.loads(line) for line in run.stdout.splitlines()], 0
    for message in ours_made:
        wire = bytes.fromhex(message["uper"])
        try:
            pdu.from_uper(wire)
            text, again = pdu.to_jer(), pdu.to_uper()
        except TypeError:  # what a later version would define, which pycrate cannot write as JSON
            left_out += 1
            continue
        except Exception as error:  # pycrate raises many kinds; each of them means that it cannot read our bytes
            problems.append(f"{wire.hex()}\n  pycrate cannot read it: {error!r}")
            continue
        if "_ext_" in text or "_unk_" in text:
            left_out += 1  # pycrate's own form for what a later version would define
        elif json.loads(text) != as_pycrate(message["jer"]):
            problems.append(f"{wire.hex()}\n  theirs {json.dumps(json.loads(text), sort_keys=True)}\n"
                            f"  ours   {json.dumps(message['jer'], sort_keys=True)}")
        elif again != wire:
            problems.append(f"{wire.hex()}\n  pycrate writes {again.hex()}")

    for wire in wires if second else []:
        try:
            second_agrees += second(wire) == wire
            second_read += 1
        except Exception:
            pass  # counted as not read
    for problem in problems[:10]:
        print(f"{kind}: {problem}")
    extra = f"; asn1tools read {second_read} and wrote {second_agrees} of them the same" if second else ""
    print(f"{kind}: seed {options.seed}: {len(made)} messages of pycrate ({tried} tried, {sum(map(len, wires))} bytes), "
          f"{len(ours_made) - left_out} of ours ({left_out} of later versions left out); {len(problems)} differences{extra}",
          flush=True)
    enough = len(made) == options.count and ours_made
    return 0 if enough and not problems else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("etsi_asn1", type=pathlib.Path, help="directory with release1/*.asn and release2/*.asn")
    parser.add_argument("--type", action="append", choices=TYPES, help="one type, again for more; all by default")
    parser.add_argument("--masa", required=True, help="the program `masa`")
    parser.add_argument("--random", required=True, help="the example `random_messages` of v2x-proto")
    parser.add_argument("--count", type=int, default=2000, help="messages of each type and direction")
    parser.add_argument("--count-ours", type=int, help="messages of ours, which take longer to find; as --count")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    types = options.type or list(TYPES)
    if len(types) == 1:
        return check(types[0], options)
    # Each in a process of its own: pycrate keeps what it compiled in global state, and modules share names.
    again = [sys.executable, os.path.abspath(__file__), str(options.etsi_asn1), "--masa", options.masa,
             "--random", options.random, "--count", str(options.count), "--seed", str(options.seed),
             *(["--count-ours", str(options.count_ours)] if options.count_ours else []), "--type"]
    failed = [kind for kind in types if subprocess.call([*again, kind])]
    print(f"{len(types) - len(failed)} of {len(types)} types agree" + (f"; not: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
