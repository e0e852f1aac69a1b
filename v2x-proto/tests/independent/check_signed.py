"""TS 103 097 by independent means: pycrate decodes and encodes, `cryptography` signs and verifies.

    check_signed.py check < lines   each line {"envelope": hex, "certificates": [hex, ...]}: prints {"ok", "reason"} a line
    check_signed.py vary  < line    {"seed": number, "count": number}: prints {"kind", "hex"} a line, random certificates and
                                    envelopes with everything that TS 103 097 allows in them; their signatures are noise
    check_signed.py make  < line    {"payload": hex, "generation_time": microseconds, "start": seconds}: prints a line a
                                    curve {"curve", "root", "authority", "envelopes"} with keys of its own
"""

import hashlib
import json
import random
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from pycrate_asn1dir.ITS_IEEE1609_2 import Ieee1609Dot2

DATA = Ieee1609Dot2.Ieee1609Dot2Data
CERTIFICATE = Ieee1609Dot2.Certificate
TO_BE_SIGNED = Ieee1609Dot2.ToBeSignedData
TO_BE_SIGNED_CERTIFICATE = Ieee1609Dot2.ToBeSignedCertificate

# Name of the key and of the signature, curve, length of a number, hash.
CURVES = [
    ("ecdsaNistP256", "ecdsaNistP256Signature", ec.SECP256R1(), 32, "sha256"),
    ("ecdsaBrainpoolP256r1", "ecdsaBrainpoolP256r1Signature", ec.BrainpoolP256R1(), 32, "sha256"),
    ("ecdsaBrainpoolP384r1", "ecdsaBrainpoolP384r1Signature", ec.BrainpoolP384R1(), 48, "sha384"),
]


class Wrong(Exception):
    """What does not hold."""


def encode(kind, value):
    kind.set_val(value)
    return kind.to_coer()


def decode(kind, octets):
    kind.from_coer(octets)
    value = kind.get_val()
    if encode(kind, value) != octets:
        raise Wrong(f"{kind._name} does not encode to the same bytes")
    return value


def curve_of_key(certificate):
    kind, (name, _) = certificate["toBeSigned"]["verifyKeyIndicator"]
    if kind != "verificationKey":
        raise Wrong("an implicit certificate")
    return next(row for row in CURVES if row[0] == name)


def public_key(certificate):
    _, _, curve, _, _ = curve_of_key(certificate)
    _, (_, (form, x)) = certificate["toBeSigned"]["verifyKeyIndicator"]
    prefix = {"compressed-y-0": b"\2", "compressed-y-1": b"\3"}[form]
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, prefix + x)


def digest(name, octets):
    return hashlib.new(name, octets).digest()


def certificate_hash(certificate):
    return digest(curve_of_key(certificate)[4], encode(CERTIFICATE, certificate))


def signed_hash(name, octets, signer_hash):
    return digest(name, digest(name, octets) + signer_hash)


def verify(signer, octets, signer_hash, signature):
    _, signature_name, _, _, hash_name = curve_of_key(signer)
    name, value = signature
    if name != signature_name:
        raise Wrong(f"{name} by a key of another curve")
    number = lambda part: int.from_bytes(part, "big")
    der = encode_dss_signature(number(value["rSig"][1]), number(value["sSig"]))
    algorithm = ec.ECDSA(Prehashed(getattr(hashes, hash_name.upper())()))
    try:
        public_key(signer).verify(der, signed_hash(hash_name, octets, signer_hash), algorithm)
    except InvalidSignature:
        raise Wrong("the signature is wrong") from None


def verify_chain(certificate, known):
    """Follows issuers up to a certificate that issued itself."""
    kind, issuer = certificate["issuer"]
    octets = encode(TO_BE_SIGNED_CERTIFICATE, certificate["toBeSigned"])
    if kind == "self":
        verify(certificate, octets, digest(curve_of_key(certificate)[4], b""), certificate["signature"])
        return
    if issuer not in known:
        raise Wrong(f"issuer {issuer.hex()} is not known")
    above = known[issuer]
    verify(above, octets, certificate_hash(above), certificate["signature"])
    verify_chain(above, known)


def check(request):
    certificates = [decode(CERTIFICATE, bytes.fromhex(text)) for text in request["certificates"]]
    known = {certificate_hash(certificate)[-8:]: certificate for certificate in certificates}
    data = decode(DATA, bytes.fromhex(request["envelope"]))
    kind, signed = data["content"]
    if kind != "signedData":
        raise Wrong("not signed")
    form, signer = signed["signer"]
    if form == "digest":
        if signer not in known:
            raise Wrong("the signer is not known")
        signer = known[signer]
    else:
        signer = signer[0]
    octets = encode(TO_BE_SIGNED, signed["tbsData"])
    verify(signer, octets, certificate_hash(signer), signed["signature"])
    verify_chain(signer, known)


class Key:
    def __init__(self, row):
        self.row = row
        self.secret = ec.generate_private_key(row[2])

    def public(self):
        numbers = self.secret.public_key().public_numbers()
        form = "compressed-y-1" if numbers.y & 1 else "compressed-y-0"
        return ("verificationKey", (self.row[0], (form, numbers.x.to_bytes(self.row[3], "big"))))

    def sign(self, octets, signer_hash):
        _, signature_name, _, length, hash_name = self.row
        algorithm = ec.ECDSA(Prehashed(getattr(hashes, hash_name.upper())()))
        r, s = decode_dss_signature(self.secret.sign(signed_hash(hash_name, octets, signer_hash), algorithm))
        return (signature_name, {"rSig": ("x-only", r.to_bytes(length, "big")), "sSig": s.to_bytes(length, "big")})


def issue(fields, key, issuer_key, issuer):
    to_be_signed = {"cracaId": b"\0\0\0", "crlSeries": 0, "verifyKeyIndicator": key.public(), **fields}
    hash_name = issuer_key.row[4]
    if issuer is None:
        name, signer_hash = ("self", hash_name), digest(hash_name, b"")
    else:
        signer_hash = certificate_hash(issuer)
        name = (f"{hash_name}AndDigest", signer_hash[-8:])
    signature = issuer_key.sign(encode(TO_BE_SIGNED_CERTIFICATE, to_be_signed), signer_hash)
    return {"version": 3, "type": "explicit", "issuer": name, "toBeSigned": to_be_signed, "signature": signature}


def groups(length):
    bitmap = lambda size: ("bitmapSspRange", {"sspValue": b"\1" + b"\0" * (size - 1), "sspBitmask": b"\xff" + b"\0" * (size - 1)})
    listed = [{"psid": 36, "sspRange": bitmap(3)}, {"psid": 37, "sspRange": bitmap(4)}]
    group = {"subjectPermissions": ("explicit", listed)}
    if length != 1:
        group["minChainLength"] = length
    return [group]


def make(request, row):
    validity = {"start": request["start"], "duration": ("hours", 48)}
    square = ("rectangularRegion", [{"northWest": {"latitude": 450000000, "longitude": 100000000},
                                     "southEast": {"latitude": 440000000, "longitude": 110000000}}])
    circle = ("circularRegion", {"center": {"latitude": 446500000, "longitude": 109300000}, "radius": 3000})
    root_key, authority_key, ticket_key = Key(row), Key(row), Key(row)
    root = issue({"id": ("name", "root"), "validityPeriod": validity, "region": square, "certIssuePermissions": groups(2)},
                 root_key, root_key, None)
    authority = issue({"id": ("name", "authority"), "validityPeriod": validity, "certIssuePermissions": groups(1)},
                      authority_key, root_key, root)
    permissions = [{"psid": 36, "ssp": ("bitmapSsp", b"\1\xff\xfc")}, {"psid": 37, "ssp": ("bitmapSsp", b"\1\xff\xff\xff")}]
    ticket = issue({"id": ("none", 0), "validityPeriod": validity, "region": circle, "appPermissions": permissions},
                   ticket_key, authority_key, authority)
    envelopes = []
    ticket_hash = certificate_hash(ticket)
    for step, signer in enumerate([("certificate", [ticket]), ("digest", ticket_hash[-8:])]):
        header = {"psid": 36, "generationTime": request["generation_time"] + step * 100_000,
                  "inlineP2pcdRequest": [b"\1\2\3"]}
        inner = {"protocolVersion": 3, "content": ("unsecuredData", bytes.fromhex(request["payload"]))}
        to_be_signed = {"payload": {"data": inner}, "headerInfo": header}
        signature = ticket_key.sign(encode(TO_BE_SIGNED, to_be_signed), ticket_hash)
        signed = {"hashId": row[4], "tbsData": to_be_signed, "signer": signer, "signature": signature}
        envelopes.append(encode(DATA, {"protocolVersion": 3, "content": ("signedData", signed)}).hex())
    return {"curve": row[0], "root": encode(CERTIFICATE, root).hex(), "authority": encode(CERTIFICATE, authority).hex(),
            "envelopes": envelopes}


class Random:
    """Random values of the types, by the names of the standard."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice
        self.number = self.random.randint

    def octets(self, least, most=None):
        return self.random.randbytes(self.number(least, least if most is None else most))

    def maybe(self, fields, name, value):
        if self.number(0, 1):
            fields[name] = value()

    def items(self, least, most, item):
        return [item() for _ in range(self.number(least, most))]

    def point(self, length, signature=False):
        forms = ["x-only", "compressed-y-0", "compressed-y-1"] if signature else ["compressed-y-0", "compressed-y-1"]
        form = self.pick(forms + ["uncompressed"])
        if form != "uncompressed":
            return (form, self.octets(length))
        return (f"uncompressedP{length * 8}", {"x": self.octets(length), "y": self.octets(length)})

    def curve(self):
        return self.pick(CURVES)

    def signature(self):
        row = self.curve()
        return (row[1], {"rSig": self.point(row[3], True), "sSig": self.octets(row[3])})

    def place(self):
        return {"latitude": self.number(-900000000, 900000000), "longitude": self.number(-1799999999, 1800000000)}

    def identified(self):
        country = self.number(0, 65535)
        region = lambda: {"region": self.number(0, 255), "subregions": self.items(0, 4, lambda: self.number(0, 65535))}
        return self.pick([
            ("countryOnly", country),
            ("countryAndRegions", {"countryOnly": country, "regions": self.items(0, 4, lambda: self.number(0, 255))}),
            ("countryAndSubregions", {"country": country, "regionAndSubregions": self.items(0, 3, region)}),
        ])

    def region(self):
        rectangle = lambda: {"northWest": self.place(), "southEast": self.place()}
        return self.pick([
            ("circularRegion", {"center": self.place(), "radius": self.number(0, 65535)}),
            ("rectangularRegion", self.items(0, 4, rectangle)),
            ("polygonalRegion", self.items(3, 8, self.place)),
            ("identifiedRegion", self.items(0, 4, self.identified)),
        ])

    def psid(self):
        return self.pick([0, 36, 127, 128, 255, 256, 638, 65535, 65536, 540802, 2**32 - 1])

    def permission(self):
        fields = {"psid": self.psid()}
        self.maybe(fields, "ssp", lambda: self.pick([("opaque", self.octets(0, 200)), ("bitmapSsp", self.octets(0, 31))]))
        return fields

    def issue_permission(self):
        fields = {"psid": self.psid()}
        bitmap = {"sspValue": self.octets(1, 32), "sspBitmask": self.octets(1, 32)}
        kinds = [("opaque", self.items(0, 4, lambda: self.octets(0, 9))), ("all", 0), ("bitmapSspRange", bitmap)]
        self.maybe(fields, "sspRange", lambda: self.pick(kinds))
        return fields

    def group(self):
        kinds = [("all", 0), ("explicit", self.items(0, 4, self.issue_permission))]
        fields = {"subjectPermissions": self.pick(kinds)}
        self.maybe(fields, "minChainLength", lambda: self.pick([0, 2, 3, 200, 70000, -1]))
        self.maybe(fields, "chainLengthRange", lambda: self.pick([-1, 1, 2, 128, -129]))
        self.maybe(fields, "eeType", lambda: (self.pick([0x00, 0x40, 0xC0]), 8))
        return fields

    def encryption_key(self):
        kind = self.pick(["eciesNistP256", "eciesBrainpoolP256r1"])
        return {"supportedSymmAlg": "aes128Ccm", "publicKey": (kind, self.point(32))}

    def certificate(self):
        units = ["microseconds", "milliseconds", "seconds", "minutes", "hours", "sixtyHours", "years"]
        name = "".join(self.pick("abcxyz-.0189äß") for _ in range(self.number(0, 60)))
        explicit = self.number(0, 3) > 0
        row = self.curve()
        key = ("verificationKey", (row[0], self.point(row[3]))) if explicit else ("reconstructionValue", self.point(32))
        fields = {
            "id": self.pick([("name", name), ("none", 0)]), "cracaId": self.octets(3), "crlSeries": self.number(0, 65535),
            "validityPeriod": {"start": self.number(0, 2**32 - 1), "duration": (self.pick(units), self.number(0, 65535))},
            "verifyKeyIndicator": key,
        }
        self.maybe(fields, "region", self.region)
        self.maybe(fields, "assuranceLevel", lambda: self.octets(1))
        self.maybe(fields, "appPermissions", lambda: self.items(1, 6, self.permission))
        self.maybe(fields, "certIssuePermissions", lambda: self.items(1, 4, self.group))
        self.maybe(fields, "encryptionKey", self.encryption_key)
        issuers = [("sha256AndDigest", self.octets(8)), ("sha384AndDigest", self.octets(8)), ("self", self.pick(["sha256", "sha384"]))]
        certificate = {"version": 3, "type": "explicit" if explicit else "implicit", "issuer": self.pick(issuers), "toBeSigned": fields}
        if explicit:
            certificate["signature"] = self.signature()
        return certificate

    def envelope(self):
        header = {"psid": self.psid()}
        instant = lambda: self.number(0, 2**64 - 1)
        latitude, longitude = self.pick([self.place().values(), (900000001, 1800000001)])
        place = {"latitude": latitude, "longitude": longitude, "elevation": self.number(0, 65535)}
        self.maybe(header, "generationTime", instant)
        self.maybe(header, "expiryTime", instant)
        self.maybe(header, "generationLocation", lambda: place)
        self.maybe(header, "encryptionKey", lambda: ("public", self.encryption_key()))
        self.maybe(header, "inlineP2pcdRequest", lambda: self.items(1, 9, lambda: self.octets(3)))
        self.maybe(header, "requestedCertificate", self.certificate)
        self.maybe(header, "pduFunctionalType", lambda: self.number(0, 255))
        payload = {}
        data = {"protocolVersion": 3, "content": ("unsecuredData", self.octets(0, 300))}
        hashed = self.pick([("sha256HashedData", self.octets(32)), ("sha384HashedData", self.octets(48))])
        kinds = self.number(1, 3)
        if kinds & 1:
            payload["data"] = data
        if kinds & 2:
            payload["extDataHash"] = hashed
        signed = {
            "hashId": self.pick(["sha256", "sha384"]), "tbsData": {"payload": payload, "headerInfo": header},
            "signer": self.pick([("digest", self.octets(8)), ("certificate", [self.certificate()])]),
            "signature": self.signature(),
        }
        return {"protocolVersion": 3, "content": ("signedData", signed)}


def vary(request):
    values = Random(request["seed"])
    for _ in range(request["count"]):
        yield {"kind": "certificate", "hex": encode(CERTIFICATE, values.certificate()).hex()}
        yield {"kind": "envelope", "hex": encode(DATA, values.envelope()).hex()}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        if sys.argv[1] == "make":
            for row in CURVES:
                print(json.dumps(make(request, row)))
            continue
        if sys.argv[1] == "vary":
            for row in vary(request):
                print(json.dumps(row))
            continue
        try:
            check(request)
            print(json.dumps({"ok": True}))
        except Wrong as error:
            print(json.dumps({"ok": False, "reason": str(error)}))


if __name__ == "__main__":
    main()
