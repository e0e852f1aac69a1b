"""TS 103 097 by independent means: pycrate decodes and encodes, `cryptography` signs and verifies.

    check_signed.py check < lines   each line {"envelope": hex, "certificates": [hex, ...]}: prints {"ok", "reason"} a line
    check_signed.py make  < line    {"payload": hex, "generation_time": microseconds, "start": seconds}: prints a line a
                                    curve {"curve", "root", "authority", "envelopes"} with keys of its own
"""

import hashlib
import json
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


def main():
    for line in sys.stdin:
        request = json.loads(line)
        if sys.argv[1] == "make":
            for row in CURVES:
                print(json.dumps(make(request, row)))
            continue
        try:
            check(request)
            print(json.dumps({"ok": True}))
        except Wrong as error:
            print(json.dumps({"ok": False, "reason": str(error)}))


if __name__ == "__main__":
    main()
