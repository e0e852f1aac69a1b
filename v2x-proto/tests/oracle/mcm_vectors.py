#!/usr/bin/env python3
"""Random MCMs by pycrate: the vectors of tests/samples/mcm.jsonl.

The modules are not part of this project. They are MCM-PDU-Descriptions as in nap-it/vanetza-nap (asn1/, 2025-03-17) and
ETSI-ITS-CDD (TS 102 894-2 v2.4.1):

    pip install pycrate==0.8.1
    mcm_vectors.py MCM-PDU-Descriptions.asn TS102894-2v241-CDD.asn > samples/mcm.jsonl

One line a message: {"type", "seed", "uper", "jer"}. Each is decoded again by pycrate before it is written.
"""

import contextlib
import importlib
import json
import random
import re
import sys
import tempfile

from pycrate_asn1c.asnproc import PycrateGenerator, compile_text, generate_modules

MESSAGES = 60
LONGEST_BYTES = 400
# Alternatives that some message has, so that others come first.
USED = set()


def value(kind, rng, small):
    """A random value of an ASN.1 object; `small` keeps lists and options short."""
    name = kind.TYPE
    if name == "NULL":
        return 0
    if name == "SEQUENCE":
        chance = 0.15 if small else 0.6
        return {
            field: value(part, rng, small)
            for field, part in kind._cont.items()
            if not part._opt or rng.random() < chance
        }
    if name == "CHOICE":
        fresh = [field for field in kind._root if (id(kind), field) not in USED]
        field = rng.choice(fresh or list(kind._root))
        USED.add((id(kind), field))
        return [field, value(kind._cont[field], rng, small)]
    if name == "SEQUENCE OF":
        low, high = kind._const_sz.lb, kind._const_sz.ub
        return [value(kind._cont, rng, small) for _ in range(rng.randint(low, min(high, low + (1 if small else 3))))]
    if name == "INTEGER":
        low, high = kind._const_val.lb, kind._const_val.ub
        return rng.choice([low, high, rng.randint(low, high), rng.randint(low, high)])
    if name == "ENUMERATED":
        return rng.choice(list(kind._root))
    if name == "BIT STRING":
        size = kind._const_sz.lb
        return [rng.getrandbits(size), size]
    raise NotImplementedError(name)


def native(kind, data):
    """pycrate's tuples where this script has lists."""
    if kind.TYPE == "SEQUENCE":
        return {field: native(kind._cont[field], part) for field, part in data.items()}
    if kind.TYPE == "CHOICE":
        return data[0], native(kind._cont[data[0]], data[1])
    if kind.TYPE == "SEQUENCE OF":
        return [native(kind._cont, part) for part in data]
    return tuple(data) if kind.TYPE == "BIT STRING" else data


def plain(text):
    """The module without comments and without WITH COMPONENT(S), which is not on the wire and beyond pycrate's parser."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"--.*", "", text)
    while (at := text.find("WITH COMPONENT")) >= 0:
        start = len(text[:at].rstrip("( \t\n"))
        opening, end = text.index("(", start), start
        depth = 0
        for end in range(opening, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
        text = text[:start] + " " + text[end + 1 :]
    # The import names an edition of the dictionary that differs from the file's only in its number.
    return re.sub(r"(FROM\s+ETSI-ITS-CDD)\s*\{[^}]*\}", r"\1 ", text)


def only(text, needed):
    """The module with no other assignments than `needed` and what those refer to: pycrate cannot parse them all."""
    head, begin, body = text.partition("BEGIN")
    parts = re.split(r"^\s*([A-Za-z][\w-]*)\s*::=", body, flags=re.M)
    assignments = dict(zip(parts[1::2], parts[2::2]))
    kept, waiting = [], list(needed)
    while waiting:
        name = waiting.pop()
        if name in assignments and name not in kept:
            kept.append(name)
            waiting += re.findall(r"[A-Z][\w-]*", assignments[name])
    lines = [f"{name} ::= {assignments[name].replace('END', '')}" for name in kept]
    return "\n".join([head, begin, *lines, "END"])


def main(mcm_path, cdd_path):
    with open(mcm_path, encoding="utf-8") as mcm, open(cdd_path, encoding="utf-8") as cdd:
        module = plain(mcm.read())
        dictionary = only(plain(cdd.read()), re.findall(r"[A-Z][\w-]*", module))
        with contextlib.redirect_stdout(sys.stderr):
            compile_text([module, dictionary])
            with tempfile.TemporaryDirectory() as folder:
                generate_modules(PycrateGenerator, f"{folder}/mcm_by_pycrate.py")
                sys.path.insert(0, folder)
                compiled = importlib.import_module("mcm_by_pycrate")
    message = compiled.MCM_PDU_Descriptions.MCM
    written, seed = 0, 0
    while written < MESSAGES:
        rng, used = random.Random(seed), set(USED)
        data = value(message, rng, small=seed % 3 != 0)
        data["header"]["messageId"] = 20
        message.set_val(native(message, data))
        uper, jer = message.to_uper(), json.loads(message.to_jer())
        if len(uper) <= LONGEST_BYTES:
            message.from_uper(uper)
            assert json.loads(message.to_jer()) == jer and message.to_uper() == uper, seed
            line = {"type": "mcm", "seed": seed, "uper": uper.hex(), "jer": jer}
            print(json.dumps(line, separators=(",", ":"), sort_keys=True))
            written += 1
        else:
            USED.intersection_update(used)
        seed += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
