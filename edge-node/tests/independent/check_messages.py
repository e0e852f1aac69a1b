"""Decodes our messages with code that is not ours.

Reads JSON lines on standard input, each `{"id", "kind", "uper" (hex), "jer", "json"}`: the bytes we sent, what our own
codec says is in them, and the JSON image. Decodes the bytes with pycrate from ETSI's ASN.1 modules (release 2),
compares every value, re-encodes, and validates the image against its-client's schema. Prints the differences and one
summary line; exits 1 at any difference, or when nothing was read.

    python check_messages.py ETSI_ASN1_DIR ITS_CLIENT_SCHEMA_DIR < messages.jsonl
    python check_messages.py --self-test VECTOR_DIR ETSI_ASN1_DIR     # r2_{cam,denm,cpm}.jsonl: {"uper", "jer"} a line

The self-test checks the checker: the golden vectors must come out the same. They were made with pycrate too, so it
proves that the modules are read here as they were there, not that the reading is right. Written for pycrate 0.8.1.
"""

import argparse
import functools
import importlib.util
import json
import pathlib
import re
import sys
import tempfile

import jsonschema
from pycrate_asn1c import asnobj, asnproc, generator, setobj
from pycrate_asn1rt.codecs import ASN1CodecPER

SCHEMAS = {"cam": "cam_schema_2-4-0.json", "denm": "denm_schema_2-3-0.json", "cpm": "cpm_schema_2-1-1.json"}
TYPES = {"cam": ("CAM_PDU_Descriptions", "CAM"), "denm": ("DENM_PDU_Description", "DENM"),
         "cpm": ("CPM_PDU_Descriptions", "CollectivePerceptionMessage")}
FILES = ("TS102894-*-CDD.asn", "TS103900*-CAM.asn", "TS103831*-DENM.asn", "CPM-*.asn")


def without_comments(text):
    return re.sub(r"/\*.*?\*/|--.*?(?:--|$)", " ", text, flags=re.DOTALL | re.MULTILINE)


def without_inner_subtypes(text):
    """Takes out `(WITH COMPONENT[S] …)`: more than pycrate's parser reads, and invisible to PER (X.691 §10.3).

    On a list (`WITH COMPONENT`) one of them still shows on the wire: whatever is constrained once more loses its
    extensibility (X.680 §50.8), so its SIZE has no extension bit. asn1c reads it so, and so do we: `Dialect::ASN1C`.
    There "any size" takes its place, which limits nothing but is the outermost constraint. It concerns
    `ConstraintWrappedCpmContainers` and `PathPredicted2.pathPredicted`.
    """
    kept, position = [], 0
    for start in re.finditer(r"\([\s(]*WITH\s+COMPONENT(S?)\b", text):
        if start.start() < position:
            continue  # inside the one just taken out
        kept += [text[position:start.start()], "" if start[1] else "(SIZE(0..MAX))"]
        depth = 0
        for bracket in re.finditer(r"[()]", text[start.start():]):
            depth += 1 if bracket[0] == "(" else -1
            if depth == 0:
                position = start.start() + bracket.end()
                break
    return "".join(kept) + text[position:]


def serial_constraints(constraints):
    """What constraints put one on another, outermost first, leave: the values all their roots allow, extensible if and
    only if the outermost one is (X.680 §50.8). pycrate 0.8.1 lets the inner one decide too, and then fails to sort."""
    roots = [setobj.ASN1Set({"root": constraint["root"], "ext": None}) for constraint in constraints]
    root = functools.reduce(lambda outer, inner: outer.intersect(inner), roots).root
    return setobj.ASN1Set({"root": root, "ext": constraints[0]["ext"]})


def compile_types(directory):
    """The three PDUs as pycrate objects. ETSI's modules are read where they lie."""
    for module in (asnobj, asnproc, generator):
        module.reduce_setdicts = serial_constraints
    ASN1CodecPER.GET_DEFVAL = False  # our JER, too, leaves out what is not on the wire because it is the DEFAULT
    paths = [path for pattern in FILES for path in sorted((directory / "release2").glob(pattern))]
    asnproc.compile_text([without_inner_subtypes(without_comments(path.read_text(encoding="utf-8"))) for path in paths])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "etsi.py"
        asnproc.generate_modules(asnproc.PycrateGenerator, str(path))
        spec = importlib.util.spec_from_file_location("etsi", path)
        etsi = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(etsi)
    return {kind: getattr(getattr(etsi, module), name) for kind, (module, name) in TYPES.items()}


def codec_problems(pdu, message):
    """Differences between the message and what pycrate makes of its bytes."""
    wire = bytes.fromhex(message["uper"])
    try:
        pdu.from_uper(wire)
        theirs, again = json.loads(pdu.to_jer()), pdu.to_uper()
    except Exception as error:  # pycrate raises many kinds; each of them means that it cannot read our bytes
        return [f"pycrate cannot read it: {error!r}"]
    found = []
    if theirs != message["jer"]:
        found.append(f"values differ\n  theirs {json.dumps(theirs, sort_keys=True)}\n"
                     f"  ours   {json.dumps(message['jer'], sort_keys=True)}")
    if again != wire:
        found.append(f"re-encoding differs\n  theirs {again.hex()}\n  ours   {wire.hex()}")
    return found


def image_problems(schema, image):
    return [f"JSON image: {'/'.join(map(str, error.absolute_path))}: {error.message}"
            for error in schema.iter_errors(json.loads(image))]


def golden_vectors(directory):
    for kind in TYPES:
        for number, line in enumerate((directory / f"r2_{kind}.jsonl").read_text().splitlines(), 1):
            yield json.loads(line) | {"id": f"r2_{kind}.jsonl:{number}", "kind": kind}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("etsi_asn1", type=pathlib.Path, help="directory with release2/*.asn")
    parser.add_argument("schemas", type=pathlib.Path, nargs="?", help="directory of its-client's JSON schemas")
    parser.add_argument("--self-test", type=pathlib.Path, metavar="VECTOR_DIR", help="check golden vectors instead")
    options = parser.parse_args()
    if not options.self_test and not options.schemas:
        parser.error("the schemas are needed to check messages")
    types = compile_types(options.etsi_asn1)
    schemas = {}
    if not options.self_test:
        schemas = {kind: jsonschema.Draft202012Validator(json.loads((options.schemas / name).read_text()))
                   for kind, name in SCHEMAS.items()}
    messages = golden_vectors(options.self_test) if options.self_test else map(json.loads, sys.stdin)
    counts, others, problems = dict.fromkeys(TYPES, 0), {}, 0
    for message in messages:
        kind = message["kind"]
        if kind not in TYPES:  # v2x-proto/tests/independent compares those with pycrate
            others[kind] = others.get(kind, 0) + 1
            continue
        found = codec_problems(types[kind], message)
        if schemas:
            found += image_problems(schemas[kind], message["json"])
        for problem in found:
            print(f"{message['id']}: {problem}")
        problems += len(found)
        counts[kind] += 1
    if others:
        print("not looked at here: " + ", ".join(f"{n} {kind}" for kind, n in others.items()))
    print("decoded by pycrate: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()) + f"; {problems} problems")
    return 1 if problems or not sum(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
